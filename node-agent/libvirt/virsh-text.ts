import { type DomainState, stateByNumber } from './domain-state.ts';

/** Reads what virsh 9 prints in English with `-q`. Lines that are not of the expected form are left out. */

export interface DomainInfo {
  uuid: string;
  name: string;
  state: string;
  persistent: boolean;
  autostart: boolean;
  managedSave: boolean;
  cpuTimeSeconds: number;
  usedMemoryBytes: number;
}

const UUID_AND_NAME = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?: (.*))?$/;

/** `list --all --uuid --name`: names by UUID. A name may hold spaces, never a line end. */
export function parseUuidNames(text: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const line of text.split('\n')) {
    const found = UUID_AND_NAME.exec(line);
    if (found?.[1] !== undefined && found[2] !== undefined) names.set(found[1], found[2]);
  }
  return names;
}

/** `list --all --uuid …`: a set of UUIDs. */
export function parseUuids(text: string): Set<string> {
  const found = new Set<string>();
  for (const line of text.split('\n')) {
    const uuid = UUID_AND_NAME.exec(line.trim())?.[1];
    if (uuid !== undefined) found.add(uuid);
  }
  return found;
}

/** `dominfo`, or null when it is not whole. */
export function parseDominfo(text: string): DomainInfo | null {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    // The first one counts: what follows the known rows is text about the guest.
    if (at > 0 && !values.has(line.slice(0, at))) values.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const uuid = values.get('UUID');
  const name = values.get('Name');
  const state = values.get('State');
  if (uuid === undefined || name === undefined || state === undefined) return null;
  return {
    uuid,
    name,
    state,
    persistent: values.get('Persistent') === 'yes',
    autostart: values.get('Autostart') === 'enable',
    managedSave: values.get('Managed save') === 'yes',
    cpuTimeSeconds: Number.parseFloat(values.get('CPU time') ?? '0') || 0,
    usedMemoryBytes: (Number.parseFloat(values.get('Used memory') ?? '0') || 0) * 1024,
  };
}

/** `domstats`: numbers and words by domain name. The name is printed between quotes and may hold quotes itself. */
export function parseDomstats(text: string): Map<string, Map<string, string>> {
  const domains = new Map<string, Map<string, string>>();
  let values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const name = /^Domain: '(.*)'$/.exec(line)?.[1];
    if (name !== undefined) {
      values = new Map();
      domains.set(name, values);
      continue;
    }
    const pair = /^ {2}([a-z0-9._-]+)=(.*)$/.exec(line);
    if (pair?.[1] !== undefined) values.set(pair[1], pair[2] ?? '');
  }
  return domains;
}

/** The state in one domain's `domstats --state`, or null when it is not there. */
export function statsState(values: ReadonlyMap<string, string> | undefined): DomainState | null {
  const state = Number(values?.get('state.state') ?? Number.NaN);
  if (!Number.isInteger(state)) return null;
  return stateByNumber(state, Number(values?.get('state.reason') ?? 0));
}

/** True when virsh says that there is no such domain (any more). */
export function isNoDomain(stderr: string): boolean {
  return /failed to get domain|Domain not found|no domain with matching/i.test(stderr);
}

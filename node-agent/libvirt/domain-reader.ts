import { WebvirtError } from '../../common/errors.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import { type DomainState, instanceState, parseDomstate } from './domain-state.ts';
import { type DomainDetails, parseDomainXml } from './domain-xml.ts';
import type { ShellAnswer } from './virsh-answer.ts';
import {
  type DomainInfo,
  isNoDomain,
  parseDominfo,
  parseDomstats,
  parseUuidNames,
  parseUuids,
  statsState,
} from './virsh-text.ts';

/** Asks virsh one thing; see `VirshShell.ask`. */
export type Ask = (words: readonly string[]) => Promise<ShellAnswer>;

/** All domains in a few calls whose cost hardly grows with their number. */
export interface DomainTable {
  names: Map<string, string>;
  states: Map<string, DomainState>;
  autostart: Set<string>;
  persistent: Set<string>;
  saved: Set<string>;
}

/** Names by UUID, as they are now. */
export async function readNames(ask: Ask): Promise<Map<string, string>> {
  return parseUuidNames(must(await ask(['list', '--all', '--uuid', '--name'])));
}

/**
 * Reads the table. `domstats` names its domains, everything else here is by UUID: the names are read before and after,
 * and when they changed in between, everything is read again. A name is never taken for the domain that had it before.
 */
export async function readTable(ask: Ask): Promise<DomainTable> {
  for (let tries = 0; ; tries += 1) {
    const before = must(await ask(['list', '--all', '--uuid', '--name']));
    const stats = parseDomstats(must(await ask(['domstats', '--state', '--nowait'])));
    const autostart = parseUuids(must(await ask(['list', '--all', '--uuid', '--autostart'])));
    const persistent = parseUuids(must(await ask(['list', '--all', '--uuid', '--persistent'])));
    const saved = parseUuids(must(await ask(['list', '--all', '--uuid', '--with-managed-save'])));
    const after = must(await ask(['list', '--all', '--uuid', '--name']));
    if (before !== after && tries < 5) continue;
    const names = parseUuidNames(after);
    const states = new Map<string, DomainState>();
    for (const [uuid, name] of names) {
      const state = before === after ? statsState(stats.get(name)) : null;
      const asked = state ?? parseDomstate((await ask(['domstate', '--reason', '--', uuid])).stdout);
      if (asked !== null) states.set(uuid, asked);
    }
    return { names, states, autostart, persistent, saved };
  }
}

/** A domain's XML, read; null when there is none with this UUID. */
export async function readDetails(ask: Ask, uuid: string): Promise<DomainDetails | null> {
  const answer = await ask(['dumpxml', '--', uuid]);
  if (isNoDomain(answer.stderr)) return null;
  const details = readable(must(answer), uuid);
  // virsh takes a word for a name when no UUID fits: a domain may be *named* like the UUID of another.
  return details.uuid === uuid ? details : null;
}

/** One domain whose XML we cannot read must not hide all the others. */
function readable(xml: string, uuid: string): DomainDetails {
  try {
    return parseDomainXml(xml);
  } catch {
    return { uuid, name: '', title: undefined, vcpus: 0, memoryBytes: 0 };
  }
}

/** State and flags of one domain, or null when there is none with this UUID. */
export async function readInfo(ask: Ask, uuid: string): Promise<(DomainInfo & { domainState: DomainState }) | null> {
  const answer = await ask(['dominfo', '--', uuid]);
  if (isNoDomain(answer.stderr)) return null;
  const info = parseDominfo(must(answer));
  if (info === null || info.uuid !== uuid) return null;
  const state = await ask(['domstate', '--reason', '--', uuid]);
  if (isNoDomain(state.stderr)) return null;
  return { ...info, domainState: parseDomstate(must(state)) ?? { word: 'no state', reason: undefined } };
}

/** Puts an instance together. Keys without a value are left out, so that equal instances are equal as JSON. */
export function toInstance(
  details: DomainDetails,
  now: { name: string; state: DomainState; autostart: boolean; persistent: boolean; saved: boolean },
): AgentInstance {
  return {
    id: details.uuid,
    name: now.name,
    state: instanceState(now.state, now.saved),
    ...(now.state.reason === undefined ? {} : { stateReason: now.state.reason }),
    vcpus: details.vcpus,
    memoryBytes: details.memoryBytes,
    autostart: now.autostart,
    persistent: now.persistent,
    ...(details.title === undefined ? {} : { title: details.title }),
    disks: details.disks,
    nics: details.nics,
  };
}

/** What virsh printed, or the error that it told. */
function must(answer: ShellAnswer): string {
  if (answer.stdout === '' && answer.stderr !== '')
    throw new WebvirtError('libvirt-failed', answer.stderr.slice(0, 512));
  return answer.stdout;
}

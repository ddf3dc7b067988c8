import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { LabError } from './run.ts';

/** The bridge inside the lab; the manager and the crawler live at this address. */
export const LAB_GATEWAY = '10.77.0.254';
export const LAB_PREFIX_LENGTH = 24;
export const LAB_CIDR = '10.77.0.0/24';
export const MAX_HOSTS = 64;
export const LAB_BRIDGE = 'wv-bridge';
/** Every process of a lab carries this, so that one caught before it entered its namespace is found as well. */
export const MEMBER_VARIABLE = 'WEBVIRT_LAB_MEMBER';

const STATE_ROOT = '/run/webvirt-lab';
const NETNS_ROOT = '/run/netns';

/** Every global name of a lab follows from its own name: this is how a dead lab is found again. */
export interface LabNames {
  readonly name: string;
  readonly netns: string;
  readonly stateDir: string;
  readonly defaultDir: string;
}

/** @throws LabError when the name cannot be a namespace name, or could be taken for a host of another lab. */
export function labNames(name: string): LabNames {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name) || /-h\d+$/.test(name)) {
    throw new LabError(`"${name}" cannot name a lab: use a-z, 0-9 and "-", at most 32, not ending in -h and a number`);
  }
  return { name, netns: name, stateDir: join(STATE_ROOT, name), defaultDir: `/var/tmp/webvirt-lab-${name}` };
}

export const stateRoot = STATE_ROOT;

export function hostName(index: number): string {
  return `h${index}`;
}

export function hostAddress(index: number): string {
  return `10.77.0.${index}`;
}

export function hostNetns(names: LabNames, host: string): string {
  return `${names.name}-${host}`;
}

export function netnsPath(netns: string): string {
  return join(NETNS_ROOT, netns);
}

/** True for the namespace of the lab itself and of each of its hosts, however many there were. */
export function isNetnsOf(names: LabNames, netns: string): boolean {
  return (
    netns === names.netns || (netns.startsWith(`${names.name}-h`) && /^\d+$/.test(netns.slice(names.name.length + 2)))
  );
}

/** The same UUID for the same host of the same lab at every start, as a real machine has. */
export function hostUuid(names: LabNames, host: string): string {
  const hex = createHash('sha256').update(`webvirt-lab/${names.name}/${host}`).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

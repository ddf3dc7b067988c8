import type { InstanceState } from '../../common/model/instance.ts';

/** libvirt's words for a state (virsh, LC_ALL=C) and our noun for it. */
const STATES: Readonly<Record<string, InstanceState>> = {
  'no state': 'unknown',
  running: 'running',
  // Blocked on a resource: only Xen says so; the machine runs.
  idle: 'running',
  paused: 'paused',
  'in shutdown': 'shutting-down',
  'shut off': 'shutoff',
  crashed: 'crashed',
  // Asleep by its own wish: it has its memory and no running vCPU.
  pmsuspended: 'paused',
};
const NUMBERS = ['no state', 'running', 'idle', 'paused', 'in shutdown', 'shut off', 'crashed', 'pmsuspended'];

/** virDomain…Reason of libvirt 9, by state; a number that is not here is told as `reason N`. */
const REASONS: Readonly<Record<string, readonly string[]>> = {
  running: [
    'unknown', 'booted', 'migrated', 'restored', 'from snapshot', 'unpaused', 'migration canceled', 'save canceled',
    'event wakeup', 'crashed', 'post-copy', 'post-copy failed',
  ],
  paused: [
    'unknown', 'user', 'migrating', 'saving', 'dumping', 'I/O error', 'watchdog', 'from snapshot', 'shutting down',
    'creating snapshot', 'crashed', 'starting up', 'post-copy', 'post-copy failed', 'api error',
  ],
  'in shutdown': ['unknown', 'user'],
  'shut off': ['unknown', 'shutdown', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from snapshot', 'daemon'],
  crashed: ['unknown', 'panicked'],
}; // biome-ignore format: tables of libvirt's numbers

export interface DomainState {
  /** libvirt's word. */
  word: string;
  reason: string | undefined;
}

/** Reads `domstate --reason`: `shut off (destroyed)`. */
export function parseDomstate(text: string): DomainState | null {
  const found = /^([a-z ]+?)(?: \(([^)\n]*)\))?$/.exec(text.trimEnd());
  const word = found?.[1];
  if (word === undefined || STATES[word] === undefined) return null;
  const reason = found?.[2];
  return { word, reason: reason === 'unknown' ? undefined : reason };
}

/** Reads the two numbers of `domstats --state`. */
export function stateByNumber(state: number, reason: number): DomainState {
  const word = NUMBERS[state] ?? 'no state';
  const text = REASONS[word]?.[reason] ?? (reason === 0 ? 'unknown' : `reason ${reason}`);
  return { word, reason: text === 'unknown' ? undefined : text };
}

/** Our noun. A saved image beside a machine that is off makes it `saved`; one that fell over is `crashed`. */
export function instanceState(state: DomainState, managedSave: boolean): InstanceState {
  const plain = STATES[state.word] ?? 'unknown';
  if (plain !== 'shutoff') return plain;
  if (managedSave) return 'saved';
  return state.reason === 'crashed' ? 'crashed' : 'shutoff';
}

import type { Host } from '../../common/model/host.ts';
import type { StoredHost } from '../store/ports.ts';

/** What is known of one host now. Ages are measured on the monotonic clock; `seenMs` is for people. */
export interface HostEntry {
  stored: StoredHost;
  state: Host['state'];
  stateSinceMs: number;
  seenMs: number;
  /** Monotonic time of the last message; of the manager's start for a host that was not heard since. */
  heardAt: number;
  connected: boolean;
  load: Host['load'];
  spoolLines: number;
}

/** A host that was not heard since the manager started: its last known state, marked stale. */
export function restoredEntry(stored: StoredHost, nowMs: number, monotonicMs: number): HostEntry {
  return {
    stored,
    state: 'stale',
    stateSinceMs: stored.seenMs > 0 ? stored.seenMs : nowMs,
    seenMs: stored.seenMs,
    heardAt: monotonicMs,
    connected: false,
    load: null,
    spoolLines: 0,
  };
}

/**
 * The host as everybody reads it. Before the first hello only its id and address are known. `clockOffsetMs` is our clock
 * minus the host's.
 */
export function presentHost(
  entry: HostEntry,
  counts: { instances: number; running: number },
  clockOffsetMs: number,
): Host {
  const { stored } = entry;
  const { facts } = stored;
  const { hypervisor, ...rest } = facts ?? {
    name: stored.id,
    cpus: 0,
    memoryBytes: 0,
    libvirtAnswers: false,
    hypervisor: { driver: 'none', uri: '' },
  };
  const version = hypervisor.version;
  return {
    ...rest,
    id: stored.id,
    address: stored.address,
    port: stored.port,
    state: entry.state,
    agentVersion: stored.agentVersion,
    hypervisor: hypervisor.driver,
    ...(version === undefined ? {} : { hypervisorVersion: version }),
    libvirtUri: hypervisor.uri,
    seenMs: entry.seenMs,
    stateSinceMs: entry.stateSinceMs,
    clockOffsetMs,
    load: entry.load,
    instanceCount: counts.instances,
    runningCount: counts.running,
    spoolLines: entry.spoolLines,
  };
}

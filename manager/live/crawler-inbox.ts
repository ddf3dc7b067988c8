import type { Candidate, Finding } from '../../common/model/discovery.ts';
import type { Bus } from '../bus/bus.ts';
import type { CandidateStore, HostStore, SettingStore, StoredHost } from '../store/ports.ts';

export interface InboxDeps {
  candidates: CandidateStore;
  hosts: Pick<HostStore, 'get' | 'list'>;
  settings: SettingStore;
  bus: Bus;
  /** An alarm line: something that an admin must look at. */
  alarm(message: string, fields: Record<string, unknown>): void;
  now(): number;
}

/** What scans found, merged: one entry per agent, or per address where no agent was behind the port. */
export interface Inbox {
  merge(finding: Finding): void;
  vanished(target: { address: string; port: number }): void;
  /** Takes it out and does not show it again until it is something else. False when there is no such candidate. */
  dismiss(id: string): boolean;
  /** A host was enrolled or changed: its candidate follows. */
  hostChanged(id: string): void;
}

/** An unchanged finding is written at most this often: known agents are reported every few seconds. */
const SEEN_WRITE_MS = 60_000;
const MAX_CANDIDATES = 20_000;
const MAX_DISMISSED = 2_000;
const DISMISSED = 'dismissed-candidates';

export function createInbox(deps: InboxDeps): Inbox {
  const { candidates, hosts, bus, now } = deps;
  const dismissed = new Map<string, string>(JSON.parse(deps.settings.get(DISMISSED) ?? '[]') as [string, string][]);
  const alarmed = new Set<string>();

  function put(candidate: Candidate): void {
    candidates.put(candidate);
    bus.emit('candidate', { id: candidate.id });
  }
  function drop(id: string): void {
    candidates.remove(id);
    bus.emit('candidate', { id });
  }
  function alarmOnce(message: string, fields: Record<string, unknown>): void {
    const key = JSON.stringify([message, fields]);
    if (alarmed.has(key)) return;
    if (alarmed.size >= MAX_CANDIDATES) alarmed.clear();
    alarmed.add(key);
    deps.alarm(message, fields);
  }

  /** Only the manager knows who is enrolled with it. An enrolled agent that says it has no manager has lost its papers. */
  function stateOf(finding: Finding, host: StoredHost | null): Finding['state'] {
    if (finding.state !== 'enrolled-here' && finding.state !== 'enrolled-elsewhere') return finding.state;
    return host !== null && host.revokedMs === null ? 'enrolled-here' : 'enrolled-elsewhere';
  }
  function lookForImpostors(finding: Finding, host: StoredHost | null): void {
    const { address, port, id } = finding;
    if (id === null) return;
    if (host !== null && host.revokedMs === null && host.address !== address)
      alarmOnce('an enrolled agent answers at another address than its host', {
        agent: id,
        address,
        host: host.address,
      });
    const there = hosts
      .list()
      .find((one) => one.revokedMs === null && one.address === address && one.port === port && one.id !== id);
    if (there !== undefined)
      alarmOnce('another key answers at the address of an enrolled host', { agent: id, address, host: there.id });
  }

  return {
    merge(finding) {
      const id = finding.id ?? `${finding.address}-${finding.port}`;
      const host = finding.id === null ? null : hosts.get(finding.id);
      const state = stateOf(finding, host);
      const before = candidates.get(id);
      const fresh: Candidate = {
        ...finding,
        id,
        // An enrolled agent tells strangers nothing: what it said before is still the best that is known.
        version: finding.version ?? before?.version ?? null,
        claimedName: finding.claimedName ?? before?.claimedName ?? null,
        state,
        firstSeenMs: before?.firstSeenMs ?? now(),
        lastSeenMs: now(),
        vanished: false,
      };
      if (before !== null && isSame(before, fresh) && now() - before.lastSeenMs < SEEN_WRITE_MS) return;
      if (before === null || !isSame(before, fresh)) lookForImpostors(finding, host);
      if (dismissed.get(id) === state) return;
      if (before === null) {
        const list = candidates.list();
        // The address belongs to somebody else now, or has an agent where it had none.
        for (const other of list)
          if (other.address === fresh.address && other.port === fresh.port && !other.vanished)
            if (other.state === 'not-an-agent') drop(other.id);
            else put({ ...other, vanished: true });
        if (list.length >= MAX_CANDIDATES) {
          alarmOnce('the inbox of candidates is full; more are not kept', { limit: MAX_CANDIDATES });
          return;
        }
      }
      put(fresh);
    },
    vanished({ address, port }) {
      for (const one of candidates.list()) {
        if (one.address !== address || one.port !== port || one.vanished) continue;
        if (one.state === 'not-an-agent') drop(one.id);
        else put({ ...one, vanished: true });
      }
    },
    dismiss(id) {
      const candidate = candidates.get(id);
      if (candidate === null) return false;
      dismissed.delete(id);
      dismissed.set(id, candidate.state);
      if (dismissed.size > MAX_DISMISSED) dismissed.delete(dismissed.keys().next().value as string);
      deps.settings.put(DISMISSED, JSON.stringify([...dismissed]));
      drop(id);
      return true;
    },
    hostChanged(id) {
      const candidate = candidates.get(id);
      if (candidate === null) return;
      const host = hosts.get(id);
      const enrolled = host !== null && host.revokedMs === null;
      if (enrolled && candidate.state !== 'enrolled-here' && host.enrolledMs > candidate.lastSeenMs)
        put({ ...candidate, state: 'enrolled-here' });
    },
  };
}

function isSame(a: Candidate, b: Candidate): boolean {
  const rest = ({ lastSeenMs: _, ...other }: Candidate) => JSON.stringify(Object.entries(other).sort());
  return rest(a) === rest(b);
}

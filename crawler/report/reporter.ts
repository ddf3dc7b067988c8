import type { Finding, Scan } from '../../common/model/discovery.ts';
import type { Connection } from './connection.ts';

/** Gathers what is found and tells the manager at the end of each turn of the event loop: at once, but not one by one. */
export interface Reporter {
  scan(scan: Scan): void;
  finding(finding: Finding, scanId: string): void;
  vanished(target: { address: string; port: number }, scanId: string): void;
  /** Tells everything that is known to a manager that may have forgotten or missed it. */
  everything(findings: Finding[]): void;
}

const LIST_LIMIT = 200;
export const RESYNC_SCAN_ID = 'resync';
/** Progress of one scan is told at most this often; its start and its end always. */
const PROGRESS_MS = 250;
/** How many results and vanished addresses are kept for a manager that was away. */
const KEPT = 1_000;

export function createReporter(tell: Connection['tell'], nowMs: () => number): Reporter {
  const waiting = new Map<string, Finding[]>();
  const results = new Map<string, Scan>();
  const toldMs = new Map<string, number>();
  const gone = new Map<string, { address: string; port: number }>();

  function flush(): void {
    for (const [scanId, list] of waiting) sendList(scanId, list);
    waiting.clear();
  }
  function sendList(scanId: string, list: Finding[]): void {
    for (let from = 0; from < list.length; from += LIST_LIMIT)
      tell('crawler:findings', { scanId, list: list.slice(from, from + LIST_LIMIT) });
  }

  return {
    scan(scan) {
      const finished = scan.state === 'done' || scan.state === 'failed';
      const before = results.get(scan.id);
      const fresh = before?.startedMs !== scan.startedMs || before?.state !== scan.state;
      keep(results, scan.id, scan);
      if (!fresh && !finished && nowMs() - (toldMs.get(scan.id) ?? 0) < PROGRESS_MS) return;
      if (finished) toldMs.delete(scan.id);
      else toldMs.set(scan.id, nowMs());
      // What was found must be there before the scan says that it is done.
      flush();
      tell('crawler:scan', scan);
    },
    finding(finding, scanId) {
      gone.delete(finding.address);
      if (waiting.size === 0) setImmediate(flush);
      const list = waiting.get(scanId);
      if (list === undefined) waiting.set(scanId, [finding]);
      else list.push(finding);
    },
    vanished(target, scanId) {
      keep(gone, target.address, target);
      flush();
      tell('crawler:vanished', { scanId, list: [target] });
    },
    everything(findings) {
      sendList(RESYNC_SCAN_ID, findings);
      if (gone.size > 0) tell('crawler:vanished', { scanId: RESYNC_SCAN_ID, list: [...gone.values()] });
      for (const scan of results.values()) tell('crawler:scan', scan);
    },
  };
}

/** Puts the value last and forgets the oldest beyond the bound. */
function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > KEPT) map.delete(map.keys().next().value as string);
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '../bus/bus.ts';
import type { CommittedBatch, LineBatch, LineStore } from '../store/ports.ts';
import type { IntakeCounters, IntakeFailpoint } from './ports.ts';

export interface CommitterConfig {
  /** Most lines of one transaction: bounds how long one commit holds up the others. */
  limitCommitLines: number;
  /** Most bytes that wait for the store; beyond it senders are told to come back later. */
  limitQueuedBytes: number;
}

/**
 * A commit costs about the same for one line as for a hundred. After each the store rests as long as that commit took,
 * at most this long: a line that comes alone is committed at once, a busy stream takes half the processor, and what it
 * takes from nobody else arrives sooner in the end.
 */
const LONGEST_REST_MS = 6;
/** Messages that make a group worth committing without a rest. */
const FULL_GROUP = 64;

interface Waiting {
  batches: LineBatch[];
  bytes: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: one transaction is in flight, and whatever comes meanwhile gathers for the next one. A batch's promise
 * resolves after the commit; only then may anybody be told, and the live road hears of it last.
 */
export interface Committer {
  /** True when `bytes` more may wait. */
  hasRoom(bytes: number): boolean;
  /** Takes batches in the order in which they must be stored. Rejects when the store failed: nothing was stored. */
  commit(batches: LineBatch[], bytes: number): Promise<void>;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

export function createCommitter(
  config: CommitterConfig,
  deps: {
    lines: Pick<LineStore, 'append'>;
    bus: Bus;
    counters: IntakeCounters;
    failpoint: IntakeFailpoint;
    /** Called at once when a commit failed, before any promise is rejected. */
    onFailed: (error: unknown) => void;
  },
): Committer {
  const { lines, bus, counters, failpoint } = deps;
  const queue: Waiting[] = [];
  let queuedBytes = 0;
  let running: Promise<void> | null = null;
  let restUntilMs = 0;

  function takeGroup(): Waiting[] {
    const group: Waiting[] = [];
    let count = 0;
    for (const waiting of queue) {
      const more = waiting.batches.reduce((sum, batch) => sum + (batch.columns?.n ?? 1), 0);
      if (group.length > 0 && count + more > config.limitCommitLines) break;
      group.push(waiting);
      count += more;
    }
    queue.splice(0, group.length);
    return group;
  }

  async function commitGroup(group: Waiting[]): Promise<void> {
    const batches = group.flatMap((waiting) => waiting.batches);
    let committed: CommittedBatch[] = [];
    try {
      if (batches.length > 0) {
        failpoint('M1');
        committed = await lines.append(batches);
        failpoint('M4');
        counters.commits += 1;
        counters.batches += committed.length;
        for (const batch of committed) counters.lines += batch.columns?.n ?? 1;
      }
    } catch (error) {
      // What waits was cut and numbered on top of what failed: all of it is given back to its senders.
      const all = [...group, ...queue.splice(0)];
      counters.storeErrors += 1;
      queuedBytes = 0;
      deps.onFailed(error);
      for (const waiting of all) waiting.reject(error);
      return;
    }
    for (const waiting of group) {
      queuedBytes -= waiting.bytes;
      waiting.resolve();
    }
    if (committed.length === 0) return;
    // After the acks: their promises run before the next tick.
    process.nextTick(() => {
      failpoint('M5');
      bus.emit('lines', { batches: committed });
    });
  }

  async function run(): Promise<void> {
    // Everything that this turn of the event loop brings becomes one transaction.
    await Promise.resolve();
    while (queue.length > 0) {
      const restMs = restUntilMs - performance.now();
      // A full group gains nothing by waiting.
      if (restMs >= 1 && queue.length < FULL_GROUP) await sleep(restMs);
      const startedMs = performance.now();
      await commitGroup(takeGroup());
      const endedMs = performance.now();
      restUntilMs = endedMs + Math.min(endedMs - startedMs, LONGEST_REST_MS);
    }
    running = null;
  }

  return {
    hasRoom: (bytes) => queuedBytes === 0 || queuedBytes + bytes <= config.limitQueuedBytes,
    commit(batches, bytes) {
      const done = new Promise<void>((resolve, reject) => {
        queue.push({ batches, bytes, resolve, reject });
      });
      queuedBytes += bytes;
      running ??= run();
      return done;
    },
    async idle() {
      while (running !== null) await running;
    },
  };
}

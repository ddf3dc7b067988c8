import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '../bus/bus.ts';
import type { CommittedBatch, LineBatch, LineStore } from '../store/ports.ts';
import { createLanes } from './lanes.ts';
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
/** Part of what may wait that is kept for senders of whom nothing waits yet. */
const KEPT_FOR_OTHERS = 1 / 8;
/** A sender of whom so much waits at most, as a part of a transaction, is quiet: those go first where there is a flood. */
const QUIET_PART = 1 / 32;
/** Beside quiet senders a flood gets so much of a transaction: what comes meanwhile waits for the end of it. */
const FLOOD_PART = 1 / 4;
/** So long after a quiet sender was there another is expected. */
const QUIET_EXPECTED_MS = 1_000;
/** Messages that make a group worth committing without a rest. */
const FULL_GROUP = 64;

interface Waiting {
  sender: string;
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
  /** True when `bytes` more of this sender may wait. */
  hasRoom(sender: string, bytes: number): boolean;
  /**
   * Takes batches in the order in which they must be stored, which is kept for each sender; with none it resolves when
   * all before it of this sender is stored. Rejects when the store failed: nothing was stored.
   */
  commit(sender: string, batches: LineBatch[], bytes: number): Promise<void>;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

export function createCommitter(
  config: CommitterConfig,
  deps: {
    lines: Pick<LineStore, 'append' | 'room'>;
    bus: Bus;
    counters: IntakeCounters;
    failpoint: IntakeFailpoint;
    /** Called at once when a commit failed, before any promise is rejected. */
    onFailed: (error: unknown) => void;
  },
): Committer {
  const { lines, bus, counters, failpoint } = deps;
  const queue = createLanes<Waiting>();
  /** Bytes of each sender that wait or are being committed. */
  const held = new Map<string, number>();
  let queuedBytes = 0;
  let running: Promise<void> | null = null;
  let restUntilMs = 0;
  let quietUntilMs = -Infinity;
  /** The last transaction was of quiet senders alone, and others wait. */
  let wasQuiet = false;
  let onArrival: (() => void) | null = null;

  const linesOf = ({ batches }: Waiting) => batches.reduce((sum, batch) => sum + (batch.columns?.n ?? 1), 0);

  function letGo({ sender, bytes }: Waiting): void {
    queuedBytes -= bytes;
    const rest = (held.get(sender) ?? 0) - bytes;
    if (rest > 0) held.set(sender, rest);
    else held.delete(sender);
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
      const all = [...group, ...queue.clear()];
      counters.storeErrors += 1;
      for (const waiting of all) letGo(waiting);
      deps.onFailed(error);
      for (const waiting of all) waiting.reject(error);
      return;
    }
    for (const waiting of group) {
      letGo(waiting);
      waiting.resolve();
    }
    if (committed.length === 0) return;
    // After the acks: their promises run before the next tick.
    process.nextTick(() => {
      failpoint('M5');
      bus.emit('lines', { batches: committed });
    });
  }

  const isQuietExpected = () => performance.now() < quietUntilMs;
  const quietLines = Math.max(1, Math.floor(config.limitCommitLines * QUIET_PART));

  /** What is committed next; nothing where only floods wait, and there is no room for them. */
  function nextGroup(): Waiting[] {
    const { room } = lines;
    if (room?.isFull() === true) {
      const limit = room.limitLittleLines;
      return queue.takeLittle(limit, Math.min(quietLines, limit / 4), linesOf);
    }
    // By turns: the quiet ones alone, as soon as what is on its way is stored, and then a piece of the flood.
    if (!wasQuiet) {
      const quiet = queue.takeLittle(config.limitCommitLines, quietLines, linesOf);
      if (quiet.length > 0) {
        wasQuiet = queue.length > 0;
        if (wasQuiet) quietUntilMs = performance.now() + QUIET_EXPECTED_MS;
        return quiet;
      }
    }
    wasQuiet = false;
    return queue.take(config.limitCommitLines * (isQuietExpected() ? FLOOD_PART : 1), linesOf);
  }

  /** Until there is room for a flood, or somebody came who may have little. */
  async function waitForRoom(): Promise<void> {
    const came = new Promise<void>((resolve) => {
      onArrival = resolve;
    });
    await Promise.race([came, lines.room?.wait(config.limitCommitLines)]);
    onArrival = null;
  }

  async function run(): Promise<void> {
    // Everything that this turn of the event loop brings becomes one transaction.
    await Promise.resolve();
    while (queue.length > 0) {
      const restMs = restUntilMs - performance.now();
      // A full group gains nothing by waiting, and beside a flood somebody waits already.
      if (restMs >= 1 && queue.length < FULL_GROUP && !isQuietExpected()) await sleep(restMs);
      const startedMs = performance.now();
      const group = nextGroup();
      if (group.length === 0) {
        await waitForRoom();
        continue;
      }
      await commitGroup(group);
      const endedMs = performance.now();
      restUntilMs = endedMs + Math.min(endedMs - startedMs, LONGEST_REST_MS);
    }
    running = null;
  }

  return {
    hasRoom(sender, bytes) {
      const { limitQueuedBytes } = config;
      const limit = held.has(sender) ? limitQueuedBytes * (1 - KEPT_FOR_OTHERS) : limitQueuedBytes;
      return queuedBytes === 0 || queuedBytes + bytes <= limit;
    },
    commit(sender, batches, bytes) {
      const done = new Promise<void>((resolve, reject) => {
        queue.push(sender, { sender, batches, bytes, resolve, reject });
      });
      onArrival?.();
      queuedBytes += bytes;
      if (bytes > 0) held.set(sender, (held.get(sender) ?? 0) + bytes);
      running ??= run();
      return done;
    },
    async idle() {
      while (running !== null) await running;
    },
  };
}

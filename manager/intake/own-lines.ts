import type { NewLine } from '../../common/model/line.ts';
import { ColumnBuilder } from '../../common/wire/frames.ts';
import { EMPTY_HASH } from '../../common/wire/link.ts';
import type { LineSink } from '../../logging/line-sink.ts';
import type { LineBatch } from '../store/ports.ts';
import { runningHash } from './chain.ts';
import type { Committer } from './committer.ts';

const LIMIT_BATCH_LINES = 1_000;
/** So many batches wait while the store cannot take lines; the oldest become a gap that says how many they were. */
const LIMIT_WAITING_BATCHES = 20;

export interface OwnLines extends LineSink {
  /** Resolves when everything given so far is stored, or the store refused it. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** The manager's own lines: numbered in an epoch of their own per start, on the same road as everybody's. */
export function createOwnLines(
  origin: { agent: string; epoch: string },
  deps: {
    committer: Committer;
    nowMs: () => number;
    retryMs: number;
    /** First number of this epoch that the store lacks. */
    storedNext: () => Promise<number>;
  },
): OwnLines {
  const builder = new ColumnBuilder();
  const waiting: LineBatch[] = [];
  let next = 0;
  let hash = EMPTY_HASH;
  let stopped = false;
  let sending: Promise<void> | null = null;
  let scheduled: NodeJS.Immediate | null = null;
  let wake: (() => void) | null = null;

  function seal(): void {
    if (builder.count === 0) return;
    const columns = builder.take();
    hash = runningHash(hash, Buffer.from(JSON.stringify(columns)));
    waiting.push({
      agent: origin.agent,
      host: '',
      hostName: '',
      epoch: origin.epoch,
      first: next,
      count: columns.n,
      hash,
      receivedMs: deps.nowMs(),
      columns,
      gap: null,
    });
    next += columns.n;
  }

  /** Only batches that are not on their way may be merged: `held` of them are. */
  function trim(held: number): void {
    while (waiting.length - held > LIMIT_WAITING_BATCHES) {
      const [older, newer] = waiting.slice(held, held + 2) as [LineBatch, LineBatch];
      const to = newer.first + newer.count - 1;
      const gap = { from: older.first, to, reason: 'the store could not take lines', bytes: 0 };
      const merged = { ...newer, first: older.first, count: to - older.first + 1, columns: null, gap };
      waiting.splice(held, 2, merged);
    }
  }

  /**
   * A commit that failed may be on the disk all the same. Its lines given again would be refused for ever, and with them
   * everybody's that share their transactions.
   */
  async function dropStored(): Promise<void> {
    const from = await deps.storedNext().catch(() => 0);
    for (const batch of waiting.splice(0)) {
      const behind = batch.first + batch.count;
      if (batch.first >= from) waiting.push(batch);
      else if (behind > from && batch.gap !== null)
        waiting.push({ ...batch, first: from, count: behind - from, gap: { ...batch.gap, from } });
    }
  }

  let held = 0;
  async function send(): Promise<void> {
    for (;;) {
      // Not while older ones wait: each try would add a small batch, and the bound counts batches.
      if (waiting.length === 0) seal();
      if (waiting.length === 0) break;
      held = waiting.length;
      try {
        await deps.committer.commit(origin.agent, waiting.slice(0, held), 0);
        waiting.splice(0, held);
        held = 0;
      } catch {
        // The committer has told it; these lines wait until the store is back, or are given up at the stop.
        held = 0;
        if (stopped) break;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, deps.retryMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = null;
        await dropStored();
      }
    }
    sending = null;
  }

  function start(): void {
    scheduled = null;
    sending ??= send();
  }

  return {
    add(line: NewLine) {
      if (stopped) return;
      builder.add(line);
      if (builder.count >= LIMIT_BATCH_LINES) {
        seal();
        trim(held);
      }
      if (scheduled === null && sending === null) scheduled = setImmediate(start);
    },
    async flush() {
      if (scheduled !== null) clearImmediate(scheduled);
      start();
      await sending;
    },
    async stop() {
      stopped = true;
      wake?.();
      await this.flush();
    },
  };
}

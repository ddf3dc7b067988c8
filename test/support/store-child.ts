// Opens one of the manager's stores, does what it is asked, and kills itself at the n-th pass of a point.

import { batchOf, EPOCH, numbered } from '../../manager/store/batch-of.testing.ts';
import { openCassandraLines } from '../../manager/store/cassandra/open.ts';
import type { CassandraOptions } from '../../manager/store/cassandra/options.ts';
import { openLineStore } from '../../manager/store/duckdb/open.ts';
import type { RetentionRule } from '../../manager/store/duckdb/retention.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';

export interface StoreOrder {
  state?: string;
  duckdb?: string;
  cassandra?: CassandraOptions;
  kill: { at: string; pass: number } | null;
}

export type StoreQuestion =
  /** Stores so many lines behind those that are there; `bytes` of text in each that nothing can compress. */
  { append: number; bytes?: number } | { retain: RetentionRule } | { close: true };

/** `next`: what is stored; `failed`: why it is not. */
export type StoreAnswer = { next: number } | { failed: string };

async function main(order: StoreOrder): Promise<void> {
  let left = order.kill?.pass ?? 0;
  const failpoint = (name: string): void => {
    if (name !== order.kill?.at) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
  if (order.state !== undefined) openStateStore(order.state, failpoint).close();
  const still = { sealAfterMs: Infinity, sealLines: Infinity };
  const duckdb = order.duckdb === undefined ? null : await openLineStore(order.duckdb, { failpoint, ...still });
  const cassandra = order.cassandra === undefined ? null : await openCassandraLines({ ...order.cassandra, failpoint });
  const engine = duckdb ?? cassandra;
  if (engine === null) return;
  const nextNumber = async () => (await engine.lines.cursors('a1')).find((one) => one.epoch === EPOCH)?.next ?? 0;

  let known: number | null = null;
  async function answer(question: StoreQuestion): Promise<StoreAnswer> {
    if ('append' in question) {
      // As the intake does it: what it knows holds until an append failed.
      const next = known ?? (await nextNumber());
      known = null;
      const text = question.bytes === undefined ? '' : ` ${randomText(question.bytes)}`;
      const lines = numbered(next, question.append).map((line) => ({ ...line, message: `${line.message}${text}` }));
      await engine!.lines.append([batchOf(next, lines)]);
      known = next + question.append;
      return { next: known };
    }
    if ('retain' in question && duckdb !== null) await duckdb.retain(question.retain);
    else if ('close' in question) {
      await engine!.close();
      return { next: -1 };
    }
    return { next: await nextNumber() };
  }
  process.on('message', (question: StoreQuestion) => {
    answer(question).then(
      (said) => process.send?.(said, () => 'close' in question && process.disconnect()),
      (error: unknown) => process.send?.({ failed: String(error) }),
    );
  });
}

function randomText(length: number): string {
  return Array.from({ length }, () => Math.floor(Math.random() * 36).toString(36)).join('');
}

process.on('disconnect', () => process.exit());
await main(JSON.parse(process.argv[2] ?? 'null') as StoreOrder);
if (process.listenerCount('message') === 0) process.exit();

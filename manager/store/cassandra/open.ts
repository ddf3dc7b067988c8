import { randomBytes } from 'node:crypto';
import type { LineFilter, LineStore } from '../ports.ts';
import { countByTime, countByValue, countLines } from './counts.ts';
import { checkDurability } from './durability.ts';
import { fillGaps, readLedger } from './fills.ts';
import { Kept } from './kept.ts';
import { takeLane } from './lanes.ts';
import { laneOf, slotStartMs } from './layout.ts';
import { createLead } from './lead.ts';
import { findLine, linesAround } from './neighbours.ts';
import { type CassandraOptions, keepSeconds } from './options.ts';
import { daysOf } from './presence.ts';
import { limitsOf } from './reader.ts';
import { newestStored, settleEarlierRuns } from './recover.ts';
import { slotsOf } from './scan.ts';
import { prepareSchema, replicationCql } from './schema.ts';
import { searchNewest } from './search.ts';
import { connect, unavailable } from './session.ts';
import { linesSince } from './since.ts';
import type { Tally } from './tallies.ts';
import { Voids } from './voids.ts';
import { Writer } from './writer.ts';

const READ_TIMEOUT_MS = 30_000;
/** A search that goes back through everything, for a person who waits and can cancel it. */
const LIMIT_WHOLE_SEARCH_MS = 120_000;
const FIRST_SLOT = -(2 ** 31) + 1;
const LAST_SLOT = 2 ** 31 - 1;

export interface CassandraLines {
  lines: LineStore;
  /** Keeps what arrived in these times whatever its age, and lets go of what was kept and is in none of them any more. */
  keepMarked(marks: readonly { fromMs: number; toMs: number }[]): Promise<{ kept: Tally; released: Tally }>;
  /** Ends the appends that are under way, and the connections. */
  close(): Promise<void>;
}

/**
 * Opens the store of lines in Cassandra: makes what is missing of keyspace and tables, ends what an earlier run of this
 * manager left half done. Rejects with `store-unavailable` when no node answers; once open, the driver finds nodes
 * again by itself, and calls are refused with `store-unavailable` meanwhile.
 */
export async function openCassandraLines(options: CassandraOptions): Promise<CassandraLines> {
  const session = await connect(options);
  try {
    return await openWith(session, options);
  } catch (error) {
    await session.close().catch(() => undefined);
    throw unavailable(error);
  }
}

async function openWith(
  session: Awaited<ReturnType<typeof connect>>,
  options: CassandraOptions,
): Promise<CassandraLines> {
  const { manager, failpoint } = options;
  const nowMs = options.nowMs ?? Date.now;
  const onWarning = options.onWarning ?? (() => undefined);
  const readMs = options.readTimeoutMs ?? READ_TIMEOUT_MS;
  const replication = options.replication === null ? null : replicationCql(options.replication);
  await prepareSchema(session.client, options.keyspace, replication, failpoint);
  await checkDurability(session, onWarning);
  const writer = randomBytes(8).toString('hex');
  const keep = keepSeconds(options.keepMs);
  const ttl = Math.max(...Object.values(keep));
  const voids = new Voids(session, writer);
  await voids.refresh();
  const left = await settleEarlierRuns(session, voids, { manager, writer, ttl });
  if (left > 0) onWarning('Lines that were not acknowledged before a crash were taken back', { epochs: left });
  const newestOrdinal = await newestStored(session, voids);
  const lane = await takeLane(session, manager);
  const out = new Writer({ session, manager, writer, lane, keep, voids, newestOrdinal, nowMs, failpoint });
  const deps = { session, voids, counts: options.counts };

  const kept = new Kept(deps, { manager, keep, nowMs });
  const since = (
    filter: LineFilter,
    after: number | readonly number[],
    limit: number,
    signal?: AbortSignal,
    floor?: number,
  ) => linesSince(deps, filter, after, limit, out.newestOrdinal, limitsOf(readMs, signal), floor);

  const lines: LineStore = {
    append: (batches) => (batches.length === 0 ? Promise.resolve([]) : out.append(batches)),
    cursors: (agent) =>
      out.alone(async () => {
        // Another manager may have moved them.
        out.cursors.forget(agent);
        const found = await out.cursors.of(agent);
        return [...found.values()].map(({ epoch, next, hash }) => ({ epoch, next, hash }));
      }),
    async hashAt(agent, epoch, next) {
      const query = 'SELECT hash FROM hashes WHERE agent = ? AND epoch = ? AND next = ?';
      const [row] = await session.run(query, [agent, epoch, next]);
      return row === undefined ? null : String(row['hash']);
    },
    query: (filter, page) => searchNewest(deps, filter, page, readMs),
    search: (filter, page) => searchNewest(deps, filter, { ...page, wholeMs: LIMIT_WHOLE_SEARCH_MS }, readMs),
    count: (filter, signal) => countLines(deps, filter, limitsOf(readMs, signal)),
    get: async (id) => (await findLine(deps, id, limitsOf(readMs)))?.line ?? null,
    context: (id, around) => linesAround(deps, id, around, limitsOf(readMs)),
    histogram: (filter, range, signal?: AbortSignal) => countByTime(deps, filter, range, limitsOf(readMs, signal)),
    facets: (filter, field, limit, signal?: AbortSignal) =>
      countByValue(deps, filter, field, limit, limitsOf(readMs, signal)),
    newestOrdinal: () => out.newestOrdinal,
    async since(filter, ordinal, limit, signal) {
      const { lines: found, lastOrdinal } = await since(filter, ordinal, limit, signal);
      return { lines: found, lastOrdinal };
    },
    shared: { laneOf, since, lead: createLead(session) },
    ledger: (agent) => readLedger(session, out.cursors, agent),
    fill: (batch) => out.alone(() => fillGaps(session, out, batch)),
    async stats() {
      const { lines: count, bytes } = await out.tallies.sum(await daysOf(session, 'days'));
      const beyond = await kept.beyond(nowMs() - ttl * 1_000);
      const oldestDay = (await daysOf(session, 'slot-days')).at(-1);
      const oldest = oldestDay === undefined ? [] : await slotsOf(deps, oldestDay, FIRST_SLOT, LAST_SLOT);
      const slot = oldest.at(-1)?.slot;
      return {
        lines: count + beyond.lines,
        bytesOnDisk: bytes + beyond.bytes,
        oldestMs: slot === undefined ? null : slotStartMs(slot),
      };
    },
  };
  return {
    lines,
    keepMarked: (marks) => kept.round(marks),
    async close() {
      lane.stop();
      try {
        await out.close();
      } finally {
        await session.close();
      }
    },
  };
}

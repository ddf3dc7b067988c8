import type { Line } from '../../../common/model/line.ts';
import { type Block, openBlock } from './block.ts';
import { bucketOf, CHUNK_NUMBERS, dayOf, LIMIT_BLOCK_LINES, SHARDS, shardOf } from './layout.ts';
import { daysOf, seenRows } from './presence.ts';
import { blocksAt, checkLimits, type Limits } from './reader.ts';
import { compileFilter, type ReadDeps } from './scan.ts';
import { eachOf } from './session.ts';
import { createSieve, type Sieve } from './sieve.ts';

const ID = /^([A-Za-z0-9_-]{1,64})\.([0-9a-f]{16})\.(\d{1,15})$/;
/** A number that was sent again may have more than one place; only one of them counts. */
const LIMIT_PLACES = 8;
const AT_ONCE = 4;
/** Behind everything that arrived: what an append of ours has not finished is not shown by itself. */
export const LAST_ORDINAL = Number.MAX_SAFE_INTEGER;

export interface Stored {
  ordinal: number;
  line: Line;
}

/** The line of an id `<agent>.<epoch>.<seq>`, or null. A number inside a gap has no line of its own. */
export async function findLine(deps: ReadDeps, id: string, limits: Limits): Promise<Stored | null> {
  const match = ID.exec(id);
  if (match === null) return null;
  await deps.voids.refresh();
  const [agent, epoch, seq] = [match[1]!, match[2]!, Number(match[3])];
  const places = await deps.session.run(
    `SELECT ordinal, shard, last FROM places WHERE agent = ? AND epoch = ? AND chunk = ? AND first <= ?
       ORDER BY first DESC, ordinal DESC LIMIT ${LIMIT_PLACES}`,
    [agent, epoch, Math.floor(seq / CHUNK_NUMBERS), seq],
  );
  for (const place of places) {
    if (Number(place['last']) < seq) continue;
    for (const block of await blocksAt(deps, Number(place['ordinal']), place['shard'] as number, limits)) {
      if (block.origin.agent !== agent || block.origin.epoch !== epoch) continue;
      const open = await openBlock(block);
      const wanted = block.ordinal + (seq - block.origin.first);
      for (let i = 0; i < open.columns.n; i += 1)
        if (open.ordinalAt(i) === wanted) return { ordinal: wanted, line: open.lineAt(i) };
    }
  }
  return null;
}

/** The buckets that have lines, in the order of arrival, from one bucket on; each with its shards. */
async function* bucketsFrom(
  { session }: ReadDeps,
  bucket: number,
  order: 'newest' | 'oldest',
): AsyncGenerator<{ bucket: number; shards: number[] }> {
  const days = (await daysOf(session, 'days')).filter((day) =>
    order === 'newest' ? day <= dayOf(bucket) : day >= dayOf(bucket),
  );
  for (const day of order === 'newest' ? days : days.reverse()) {
    const buckets = new Map<number, number[]>();
    for (const row of await seenRows(session, 'all', '', day)) {
      const at = row['bucket'] as number;
      if (order === 'newest' ? at > bucket : at < bucket) continue;
      buckets.set(at, [...(buckets.get(at) ?? []), row['shard'] as number]);
    }
    const found = [...buckets].map(([at, shards]) => ({ bucket: at, shards }));
    yield* order === 'newest' ? found : found.reverse();
  }
}

export interface Walk {
  /** Arrival numbers, both included. */
  fromOrdinal: number;
  toOrdinal: number;
  order: 'newest' | 'oldest';
  limit: number;
  shards: (shards: number[]) => number[];
  mayHave: ((bucket: number, shard: number) => Promise<boolean>) | null;
  sieve: Sieve;
  /** False when nothing of a block is wanted. */
  wants(block: Block): boolean;
  rows: ReturnType<typeof compileFilter>['rows'];
}

/** Lines in the order of arrival, or against it, until there are enough. */
export async function walk(deps: ReadDeps, wanted: Walk, limits: Limits): Promise<Stored[]> {
  const { fromOrdinal, toOrdinal, order, limit, rows, mayHave, sieve } = wanted;
  const found: Stored[] = [];
  if (toOrdinal < fromOrdinal || limit <= 0) return found;
  const range = { order, fromOrdinal: fromOrdinal - LIMIT_BLOCK_LINES, toOrdinal };
  const wants = (block: Block) => (wanted.wants(block) ? 'take' : 'pass');
  const sign = order === 'newest' ? -1 : 1;
  const [start, end] = order === 'newest' ? [toOrdinal, fromOrdinal] : [fromOrdinal, toOrdinal];
  for await (const { bucket, shards } of bucketsFrom(deps, bucketOf(start), order)) {
    if (order === 'newest' ? bucket < bucketOf(end) : bucket > bucketOf(end)) break;
    checkLimits(limits);
    const here: Stored[] = [];
    await eachOf(wanted.shards(shards), AT_ONCE, async (shard) => {
      if (mayHave !== null && !(await mayHave(bucket, shard))) return;
      const mine: Stored[] = [];
      let stopAt: number | null = null;
      for await (const block of sieve({ bucket, shard }, range, wants)) {
        // The parts of one range of numbers follow each other: all of them are looked at before it is enough.
        if (stopAt !== null && block.ordinal !== stopAt) break;
        checkLimits(limits);
        const open = await openBlock(block);
        for (const i of rows(open)) {
          const ordinal = open.ordinalAt(i);
          if (ordinal >= fromOrdinal && ordinal <= toOrdinal) mine.push({ ordinal, line: open.lineAt(i) });
        }
        if (mine.length >= limit - found.length) stopAt = block.ordinal;
      }
      here.push(...mine);
    });
    here.sort((a, b) => sign * (a.ordinal - b.ordinal));
    found.push(...here.slice(0, limit - found.length));
    if (found.length >= limit) break;
  }
  return found;
}

/** Lines around one, in the order of arrival, oldest first; the line itself is in the middle. */
export async function linesAround(
  deps: ReadDeps,
  id: string,
  options: { before: number; after: number; sameHost: boolean },
  limits: Limits,
): Promise<Line[]> {
  const found = await findLine(deps, id, limits);
  if (found === null) return [];
  const { ordinal, line } = found;
  const isOwn = ({ origin }: Block) => origin.agent === line.agent && origin.host === line.host;
  const common = {
    mayHave: null,
    shards: (shards: number[]) =>
      options.sameHost ? shards.filter((shard) => shard % SHARDS === shardOf(line.agent)) : shards,
    sieve: createSieve(deps, {}, limits),
    wants: options.sameHost ? isOwn : () => true,
    rows: compileFilter({}).rows,
  };
  const back: Walk = { ...common, order: 'newest', fromOrdinal: 1, toOrdinal: ordinal - 1, limit: options.before };
  const on: Walk = {
    ...{ ...common, order: 'oldest', fromOrdinal: ordinal + 1 },
    ...{ toOrdinal: LAST_ORDINAL, limit: options.after },
  };
  const [before, after] = [await walk(deps, back, limits), await walk(deps, on, limits)];
  return [...before.reverse(), found, ...after].map((one) => one.line);
}

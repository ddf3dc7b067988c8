import type { LineBatch } from '../ports.ts';
import { type Block, type Draft, encodeBody } from './block.ts';
import { gramsOf } from './block-grams.ts';
import { bucketOf, CHUNK_NUMBERS } from './layout.ts';
import type { Statement } from './session.ts';
import type { AppendMark } from './voids.ts';

const BLOCK = `INSERT INTO blocks (bucket, shard, ordinal, part, writer, append, agent, epoch, first, reach, count, host,
  host_name, received_ms, offset_ms, min_sort_ms, max_sort_ms, levels, body, grams)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?`;
const PLACE =
  'INSERT INTO places (agent, epoch, chunk, first, ordinal, shard, last) VALUES (?, ?, ?, ?, ?, ?, ?) USING TTL ?';
const HASH = 'INSERT INTO hashes (agent, epoch, next, hash) VALUES (?, ?, ?, ?)';
const GAP = `INSERT INTO gaps (agent, epoch, from_seq, to_seq, reason, bytes, first_ts_ms, last_ts_ms, received_ms,
  filled, mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`;

/** About what the columns beside the lines take. */
const ROW_BYTES = 200;

/** One block with its place, before it is written. */
export interface Placed {
  batch: LineBatch;
  draft: Draft;
  ordinal: number;
  shard: number;
}

export interface Written extends Statement {
  bytes: number;
}

export async function blockStatement({ batch, draft, ordinal, shard }: Placed, mark: AppendMark): Promise<Written> {
  const body = await encodeBody(draft);
  const grams = gramsOf(draft.columns, batch);
  const params = [
    ...[bucketOf(ordinal), shard, ordinal, draft.part, mark.writer, mark.append, batch.agent, batch.epoch],
    ...[batch.first + draft.from, draft.reach, draft.columns.n, batch.host, batch.hostName],
    ...[Math.round(batch.receivedMs), batch.clockOffsetMs ?? 0, draft.minSortMs, draft.maxSortMs, draft.levels],
    ...[body, grams, draft.ttl],
  ];
  return { query: BLOCK, params, bytes: body.length + (grams?.length ?? 0) + ROW_BYTES };
}

/** The same row once more, with another time to live; 0: for ever. */
export function blockAgain(block: Block, ttl: number): Written {
  const { bucket, shard, ordinal, part, origin, mark, body, grams } = block;
  const params = [
    ...[bucket, shard, ordinal, part, mark.writer, mark.append, origin.agent, origin.epoch],
    ...[origin.first, block.reach, block.count, origin.host, origin.hostName, origin.receivedMs],
    ...[origin.clockOffsetMs ?? 0, block.minSortMs, block.maxSortMs, block.levels, body, grams, ttl],
  ];
  return { query: BLOCK, params, bytes: body!.length + (grams?.length ?? 0) + ROW_BYTES };
}

export function placesAgain({ shard, ordinal, reach, origin }: Block, ttl: number): [string, Statement][] {
  return placeRows(origin, { first: origin.first, reach, ordinal, shard }, ttl);
}

/** Where the lines of a block are, by their numbers: a row for each chunk of numbers that it touches. */
export function placeStatements({ batch, draft, ordinal, shard }: Placed, ttl: number): [string, Statement][] {
  return placeRows(batch, { first: batch.first + draft.from, reach: draft.reach, ordinal, shard }, ttl);
}

function placeRows(
  { agent, epoch }: Pick<LineBatch, 'agent' | 'epoch'>,
  { first, reach, ordinal, shard }: { first: number; reach: number; ordinal: number; shard: number },
  ttl: number,
): [string, Statement][] {
  const last = first + reach - 1;
  const rows: [string, Statement][] = [];
  for (let chunk = Math.floor(first / CHUNK_NUMBERS); chunk * CHUNK_NUMBERS <= last; chunk += 1) {
    const params = [agent, epoch, chunk, first, ordinal, shard, last, ttl];
    rows.push([`${agent} ${epoch} ${chunk}`, { query: PLACE, params }]);
  }
  return rows;
}

export function hashStatement({ agent, epoch, first, count, hash }: LineBatch): Statement {
  return { query: HASH, params: [agent, epoch, first + count, hash] };
}

export function gapStatement({ agent, epoch, gap, receivedMs }: LineBatch, { writer, append }: AppendMark): Statement {
  const { from, to, reason, bytes, firstTsMs, lastTsMs } = gap!;
  const times = [firstTsMs, lastTsMs].map((ms) => (ms === undefined ? null : Math.round(ms)));
  const mark = `${writer}:${append}`;
  return { query: GAP, params: [agent, epoch, from, to, reason, bytes, ...times, Math.round(receivedMs), mark] };
}

const LIMIT_BATCH_BYTES = 512 * 1024;
const LIMIT_BATCH_STATEMENTS = 128;

/** Cuts statements for one partition into batches that a node takes gladly. */
export function inBatches(statements: readonly Written[]): Statement[][] {
  const batches: Statement[][] = [];
  let bytes = Infinity;
  for (const { query, params, bytes: size } of statements) {
    const last = batches.at(-1);
    if (last === undefined || bytes + size > LIMIT_BATCH_BYTES || last.length >= LIMIT_BATCH_STATEMENTS) {
      batches.push([{ query, params }]);
      bytes = size;
    } else {
      last.push({ query, params });
      bytes += size;
    }
  }
  return batches;
}

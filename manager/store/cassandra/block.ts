import { promisify } from 'node:util';
import { deflateRaw, inflateRaw, inflateRawSync } from 'node:zlib';
import { LEVELS, type Level, type Line } from '../../../common/model/line.ts';
import { type Dictionary, type LineColumns, valueAt } from '../../../common/wire/frames.ts';
import { columnsOf, lineAt, sortMsOf, storedMs } from '../line-columns.ts';
import type { LineBatch } from '../ports.ts';
import { LIMIT_BLOCK_LINES, slotOf } from './layout.ts';

const pack = promisify(deflateRaw);
const unpack = promisify(inflateRaw);
/** Shorter bodies gain nothing by being packed. */
const PACK_FROM_BYTES = 600;
const UNPACK_AT_ONCE_BYTES = 8_192;
/** A block is cut earlier when its texts are long. */
const LIMIT_BLOCK_CHARACTERS = 1024 ** 2;
const [PLAIN, PACKED] = [0, 1];

/** Seconds that lines of a level are kept; 0: for ever. */
export type KeepSeconds = Record<Level, number>;

/** Lines of one batch that are kept equally long, on their way into one row. */
export interface Draft {
  /** Row of the batch that the block begins at, and how many rows it reaches over. */
  from: number;
  reach: number;
  part: number;
  ttl: number;
  columns: LineColumns;
  /** Which of the rows it reaches over it has; null: all. */
  rows: number[] | null;
  levels: number[];
  minSortMs: number;
  maxSortMs: number;
  slots: Set<number>;
}

/** Cuts a batch into blocks: by length, and within that by how long the levels of its lines are kept. */
export function cutBatch(batch: LineBatch, keep: KeepSeconds): Draft[] {
  const columns = columnsOf(batch);
  const drafts: Draft[] = [];
  for (let from = 0; from < columns.n; ) {
    const reach = reachFrom(columns, from);
    const byTtl = new Map<number, number[]>();
    for (let i = 0; i < reach; i += 1) {
      const ttl = keep[valueAt(columns.level, from + i) as Level] ?? keep.info;
      const rows = byTtl.get(ttl);
      if (rows === undefined) byTtl.set(ttl, [i]);
      else rows.push(i);
    }
    let part = 0;
    for (const [ttl, rows] of byTtl) {
      const whole = rows.length === reach;
      const picked =
        whole && reach === columns.n
          ? columns
          : pickRows(
              columns,
              rows.map((i) => from + i),
            );
      drafts.push({
        ...{ from, reach, part, ttl, columns: picked, rows: whole ? null : rows },
        ...summaryOf(picked, batch),
      });
      part += 1;
    }
    from += reach;
  }
  return drafts;
}

function reachFrom(columns: LineColumns, from: number): number {
  const most = Math.min(LIMIT_BLOCK_LINES, columns.n - from);
  let characters = 0;
  for (let i = 0; i < most; i += 1) {
    characters += columns.message[from + i]!.length + (columns.fields?.[from + i]?.length ?? 0);
    if (characters > LIMIT_BLOCK_CHARACTERS) return Math.max(1, i);
  }
  return most;
}

function summaryOf(columns: LineColumns, batch: LineBatch) {
  const levels = LEVELS.map(() => 0);
  const slots = new Set<number>();
  let [minSortMs, maxSortMs] = [Infinity, -Infinity];
  for (let i = 0; i < columns.n; i += 1) {
    const sortMs = sortMsOf(storedMs(columns.tsMs[i] ?? batch.receivedMs), batch);
    if (sortMs < minSortMs) minSortMs = sortMs;
    if (sortMs > maxSortMs) maxSortMs = sortMs;
    slots.add(slotOf(sortMs));
    levels[LEVELS.indexOf(valueAt(columns.level, i) as Level)]! += 1;
  }
  return { levels, slots, minSortMs, maxSortMs };
}

/** Some rows of columns, by their places. */
export function pickRows(columns: LineColumns, rows: number[]): LineColumns {
  const dictionary = (one: Dictionary): Dictionary => {
    if (one.index === undefined) return one;
    const places = new Map<number, number>();
    const values: string[] = [];
    const index = rows.map((row) => {
      const at = one.index![row] ?? -1;
      if (at < 0) return -1;
      let place = places.get(at);
      if (place === undefined) {
        place = values.push(one.values[at]!) - 1;
        places.set(at, place);
      }
      return place;
    });
    return { values, index };
  };
  const { level, source, unit, instance, job, session, fields } = columns;
  return {
    n: rows.length,
    tsMs: rows.map((row) => columns.tsMs[row]!),
    level: dictionary(level),
    source: dictionary(source),
    unit: dictionary(unit),
    instance: dictionary(instance),
    job: dictionary(job),
    session: dictionary(session),
    message: rows.map((row) => columns.message[row]!),
    ...(fields === undefined ? {} : { fields: rows.map((row) => fields[row] ?? null) }),
  };
}

/** The lines as bytes: one that says how, then JSON of the columns, packed when that is worth it. */
export async function encodeBody({ columns, rows }: Draft): Promise<Buffer> {
  const json = Buffer.from(JSON.stringify(rows === null ? { columns } : { columns, rows }), 'utf8');
  if (json.length < PACK_FROM_BYTES) return Buffer.concat([Buffer.of(PLAIN!), json]);
  return Buffer.concat([Buffer.of(PACKED!), await pack(json, { level: 1 })]);
}

/** A row of table `blocks` as it is read. */
export interface Block {
  bucket: number;
  shard: number;
  ordinal: number;
  part: number;
  /** Lines per level, in the order of LEVELS. */
  levels: number[];
  /** Lines it has; and how many arrival numbers it reaches over. */
  count: number;
  reach: number;
  minSortMs: number;
  maxSortMs: number;
  origin: Pick<LineBatch, 'agent' | 'epoch' | 'first' | 'host' | 'hostName' | 'receivedMs' | 'clockOffsetMs'>;
  mark: { writer: string; append: number };
  /** Null when it was not asked for. */
  body: Buffer | null;
  /** Says which texts are not in it, see `gramsOf`; null: not asked for, or nothing is known. */
  grams: Buffer | null;
}

/** A block with its lines unpacked. */
export interface OpenBlock {
  block: Block;
  columns: LineColumns;
  /** Arrival number of a row. */
  ordinalAt(i: number): number;
  sortMsAt(i: number): number;
  lineAt(i: number): Line;
}

export async function openBlock(block: Block): Promise<OpenBlock> {
  const body = block.body!;
  const packed = body.subarray(1);
  const json =
    body[0] === PLAIN ? packed : packed.length < UNPACK_AT_ONCE_BYTES ? inflateRawSync(packed) : await unpack(packed);
  const { columns, rows } = JSON.parse(json.toString('utf8')) as { columns: LineColumns; rows?: number[] };
  const batch: LineBatch = { ...block.origin, count: columns.n, hash: '', columns, gap: null };
  const reached = (i: number) => rows?.[i] ?? i;
  return {
    block,
    columns,
    ordinalAt: (i) => block.ordinal + reached(i),
    sortMsAt: (i) => sortMsOf(storedMs(columns.tsMs[i] ?? batch.receivedMs), batch),
    // The number of a line is counted from the batch's own first row, whichever rows rest here.
    lineAt: (i) => lineAt({ ...batch, first: batch.first + reached(i) - i }, columns, i),
  };
}

import { WebvirtError } from '../../../common/errors.ts';
import type { Block } from './block.ts';
import { bucketOf } from './layout.ts';
import type { Row, Session } from './session.ts';
import type { Voids } from './voids.ts';

const HEAD = `ordinal, part, writer, append, agent, epoch, first, reach, count, host, host_name, received_ms, offset_ms,
  min_sort_ms, max_sort_ms, levels`;
const PAGE_BYTES = 1024 ** 2;
const [LEAST_ROWS, MOST_ROWS] = [16, 2_000];

/** How a read ends early: by its caller, or by the clock. */
export interface Limits {
  signal?: AbortSignal | undefined;
  untilMs: number;
  limitMs: number;
}

export function limitsOf(limitMs: number, signal?: AbortSignal): Limits {
  return { signal, limitMs, untilMs: performance.now() + limitMs };
}

export function checkLimits({ signal, untilMs, limitMs }: Limits): void {
  if (signal?.aborted === true) throw new WebvirtError('op-cancelled', 'The search was cancelled.');
  if (performance.now() < untilMs) return;
  const seconds = limitMs / 1_000;
  throw new WebvirtError('timeout', `This search took longer than ${seconds} s; make its time range smaller.`);
}

export interface BlockRange {
  order: 'newest' | 'oldest';
  /** What is read of each beside its head. */
  with: 'nothing' | 'grams' | 'body';
  /** True: also what no cursor has passed yet. */
  unsettled?: boolean;
  /** Arrival numbers of blocks, both included. */
  fromOrdinal?: number;
  toOrdinal?: number;
}

/** Reads the blocks of one partition that count, page by page; pages grow when blocks are small. */
export async function* blocksOf(
  deps: { session: Session; voids: Voids },
  bucket: number,
  shard: number,
  range: BlockRange,
  limits: Limits,
): AsyncGenerator<Block> {
  const params: unknown[] = [bucket, shard];
  let where = 'bucket = ? AND shard = ?';
  if (range.fromOrdinal !== undefined) {
    where += ' AND ordinal >= ?';
    params.push(range.fromOrdinal);
  }
  if (range.toOrdinal !== undefined) {
    where += ' AND ordinal <= ?';
    params.push(range.toOrdinal);
  }
  const order = range.order === 'newest' ? '' : ' ORDER BY ordinal ASC, part DESC';
  const more = { nothing: '', grams: ', grams', body: ', body' }[range.with];
  const query = `SELECT ${HEAD}${more} FROM blocks WHERE ${where}${order}`;
  const rowsFor = (page: Row[]) => {
    if (range.with === 'nothing') return MOST_ROWS;
    if (page.length === 0) return LEAST_ROWS;
    const bytes = page.reduce((sum, row) => sum + 100 + ((row[range.with] as Buffer | null)?.length ?? 0), 0);
    return Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.round((PAGE_BYTES / bytes) * page.length)));
  };
  for await (const page of deps.session.pages(query, params, rowsFor)) {
    checkLimits(limits);
    for (const row of page) {
      const [writer, agent, epoch] = [row['writer'], row['agent'], row['epoch']] as [string, string, string];
      if (!deps.voids.counts(writer, row['append'], agent, epoch)) continue;
      if (range.unsettled || (await deps.voids.isStored(writer, agent, epoch, Number(row['first']))))
        yield blockOf(row, bucket, shard);
    }
  }
}

function blockOf(row: Row, bucket: number, shard: number): Block {
  return {
    ...{ bucket, shard, ordinal: Number(row['ordinal']), part: row['part'] as number },
    ...{ levels: row['levels'] as number[], count: row['count'] as number, reach: row['reach'] as number },
    minSortMs: Number(row['min_sort_ms']),
    maxSortMs: Number(row['max_sort_ms']),
    origin: {
      agent: String(row['agent']),
      epoch: String(row['epoch']),
      first: Number(row['first']),
      host: String(row['host']),
      hostName: String(row['host_name']),
      receivedMs: Number(row['received_ms']),
      clockOffsetMs: Number(row['offset_ms']),
    },
    mark: { writer: String(row['writer']), append: row['append'] as number },
    body: (row['body'] as Buffer | undefined) ?? null,
    grams: (row['grams'] as Buffer | null | undefined) ?? null,
  };
}

/** The blocks that begin at this arrival number: more than one when its lines are kept for different times. */
export async function blocksAt(
  deps: { session: Session; voids: Voids },
  ordinal: number,
  shard: number,
  limits: Limits,
): Promise<Block[]> {
  const range: BlockRange = { order: 'newest', with: 'body', fromOrdinal: ordinal, toOrdinal: ordinal };
  const found: Block[] = [];
  for await (const block of blocksOf(deps, bucketOf(ordinal), shard, range, limits)) found.push(block);
  return found;
}

/** The same blocks with their bodies. One that is gone meanwhile is left out. `grams` are read too when `all` is true. */
export async function withBodies(session: Session, blocks: readonly Block[], all = false): Promise<Block[]> {
  if (blocks.length === 0) return [];
  const { bucket, shard } = blocks[0]!;
  const query = `SELECT ordinal, part, body${all ? ', grams' : ''} FROM blocks WHERE bucket = ? AND shard = ? AND ordinal IN ?`;
  const ordinals = [...new Set(blocks.map((block) => block.ordinal))];
  const found = new Map<string, Row>();
  for await (const page of session.pages(query, [bucket, shard, ordinals], MOST_ROWS))
    for (const row of page) found.set(`${row['ordinal']} ${row['part']}`, row);
  return blocks.flatMap((block) => {
    const row = found.get(`${block.ordinal} ${block.part}`);
    if (row === undefined) return [];
    return [{ ...block, body: row['body'] as Buffer, grams: (row['grams'] as Buffer | null | undefined) ?? null }];
  });
}

import type { LineFilter } from '../ports.ts';
import type { Block } from './block.ts';
import { hasLevels, mayHold, type Wanted, wantedOf } from './block-grams.ts';
import { type BlockRange, blocksOf, checkLimits, type Limits, withBodies } from './reader.ts';
import type { ReadDeps } from './scan.ts';

/** Bodies that are fetched in one request. */
const LIMIT_AT_ONCE = 8;

/** Reads of a partition what may hold lines of a filter: bodies of blocks that cannot are never fetched. */
export type Sieve = (
  part: { bucket: number; shard: number },
  range: Omit<BlockRange, 'with'>,
  /** Looked at before the texts: `end` when neither this block nor the ones behind it are wanted. */
  wants: (block: Block) => 'take' | 'pass' | 'end',
) => AsyncGenerator<Block>;

/** How many blocks were looked at and how many of them were read whole, since the start. */
export interface SieveCounts {
  looked: number;
  read: number;
}

/** Throws `bad-query`. */
export function createSieve(deps: ReadDeps, filter: LineFilter, limits: Limits): Sieve {
  const wanted = wantedOf(filter);
  return (part, range, wants) => sieved(deps, part, range, wants, wanted, limits);
}

async function* sieved(
  deps: ReadDeps,
  { bucket, shard }: { bucket: number; shard: number },
  range: Omit<BlockRange, 'with'>,
  wants: (block: Block) => 'take' | 'pass' | 'end',
  wanted: Wanted,
  limits: Limits,
): AsyncGenerator<Block> {
  const asksTexts = wanted.clauses.length > 0;
  const counts = deps.counts ?? { looked: 0, read: 0 };
  let waiting: Block[] = [];
  for await (const block of blocksOf(deps, bucket, shard, { ...range, with: asksTexts ? 'grams' : 'body' }, limits)) {
    counts.looked += 1;
    const answer = wants(block);
    if (answer === 'end') break;
    if (answer === 'pass' || !hasLevels(wanted, block.levels) || !mayHold(wanted, block.grams)) continue;
    counts.read += 1;
    if (!asksTexts) {
      yield block;
      continue;
    }
    waiting.push(block);
    if (waiting.length < LIMIT_AT_ONCE) continue;
    yield* await withBodies(deps.session, waiting);
    checkLimits(limits);
    waiting = [];
  }
  yield* await withBodies(deps.session, waiting);
}

/**
 * Where things are. An arrival number is a time: 4,000 numbers a millisecond, so that it grows across restarts without
 * being kept, and says in which bucket its line rests. A bucket is a minute of arrival, in some shards.
 */
const ORDINALS_PER_MS = 4_000;
const MINUTE_MS = 60_000;
const MINUTES_PER_DAY = 1_440;
const ORDINALS_PER_BUCKET = ORDINALS_PER_MS * MINUTE_MS;

/**
 * Shards of a bucket and a manager; more are begun when one has LIMIT_SHARD_BYTES. No two managers write into the same
 * partition: what each counts is all that is in it.
 */
export const SHARDS = 8;
export const LIMIT_SHARD_BYTES = 64 * 1024 ** 2;

/** Most lines of a block: what is read and unpacked at once. */
export const LIMIT_BLOCK_LINES = 2_048;
export const CHUNK_NUMBERS = 65_536;

export function ordinalAt(nowMs: number): number {
  return Math.floor(nowMs) * ORDINALS_PER_MS;
}

/** No line that arrived under this number or a smaller one has a later time: lines are never later than they came. */
export function latestMsOf(ordinal: number): number {
  return Math.ceil(ordinal / ORDINALS_PER_MS);
}

export function bucketOf(ordinal: number): number {
  return Math.floor(ordinal / ORDINALS_PER_BUCKET);
}

/**
 * Managers that may share the tables at one time. Each has a lane: in every fifth of a second a slice of the numbers is its
 * own, so that two that write at the same moment never give the same one, and a number says whose it is. A slice has
 * more numbers than an append has lines; a manager may give half a million a second.
 */
export const LANES = 8;
const NUMBERS_PER_SLICE = 100_000;
const NUMBERS_PER_ROUND = NUMBERS_PER_SLICE * LANES;

export function laneOf(ordinal: number): number {
  return Math.floor(ordinal / NUMBERS_PER_SLICE) % LANES;
}

/** The first number, from `ordinal` on, at which so many follow each other in one slice of the lane. */
function inSlice(ordinal: number, count: number, lane: number): number {
  const start = Math.floor(ordinal / NUMBERS_PER_ROUND) * NUMBERS_PER_ROUND + lane * NUMBERS_PER_SLICE;
  if (ordinal <= start) return start;
  return ordinal + count <= start + NUMBERS_PER_SLICE ? ordinal : start + NUMBERS_PER_ROUND;
}

/**
 * The first numbers of batches of so many lines each: from `ordinal` on, in one lane and all in one bucket, the lines of a
 * batch one after the other. All follow each other where they fit into one slice.
 */
export function placeNumbers(ordinal: number, counts: readonly number[], lane: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const from = (first: number): number[] => {
    let next = total <= NUMBERS_PER_SLICE ? inSlice(first, total, lane) : first;
    return counts.map((count) => {
      const at = inSlice(next, count, lane);
      next = at + count;
      return at;
    });
  };
  const places = from(ordinal);
  const bucket = bucketOf(places[0]!);
  return bucketOf(places.at(-1)! + counts.at(-1)! - 1) === bucket ? places : from((bucket + 1) * ORDINALS_PER_BUCKET);
}

const LIMIT_SLOT = 2 ** 31 - 1;

/** The minute of a time by which lines are ordered. Times that no clock has are in the first or the last one. */
export function slotOf(sortMs: number): number {
  return Math.max(-LIMIT_SLOT, Math.min(LIMIT_SLOT, Math.floor(sortMs / MINUTE_MS)));
}

/** The first millisecond of a slot; the first slot has everything before it. */
export function slotStartMs(slot: number): number {
  return slot <= -LIMIT_SLOT ? -Infinity : slot * MINUTE_MS;
}

/** The day of a bucket or a slot. */
export function dayOf(minute: number): number {
  return Math.floor(minute / MINUTES_PER_DAY);
}

/** The lines of one agent are together: a search of one host reads an eighth. */
export function shardOf(agent: string): number {
  let hash = 2_166_136_261;
  for (let i = 0; i < agent.length; i += 1) hash = Math.imul(hash ^ agent.charCodeAt(i), 16_777_619);
  return (hash >>> 0) % SHARDS;
}

/** The partition of an agent's lines: `overflow` counts those that are full. The remainder by SHARDS is the agent's. */
export function partitionOf(agent: string, lane: number, overflow: number): number {
  return shardOf(agent) + SHARDS * (lane + LANES * overflow);
}

/** Partitions of one bucket and overflow, of all lanes. */
export const SHARDS_PER_ROUND = SHARDS * LANES;

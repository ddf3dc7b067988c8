/**
 * Where things are. An arrival number is a time: 4,000 numbers a millisecond, so that it grows across restarts without
 * being kept, and says in which bucket its line rests. A bucket is a minute of arrival, in some shards.
 */
const ORDINALS_PER_MS = 4_000;
const MINUTE_MS = 60_000;
const MINUTES_PER_DAY = 1_440;
const ORDINALS_PER_BUCKET = ORDINALS_PER_MS * MINUTE_MS;

/** Shards of a bucket; more are begun when one has LIMIT_SHARD_BYTES. */
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

/** The first number for `count` lines that stay in one bucket. */
export function inOneBucket(ordinal: number, count: number): number {
  const bucket = bucketOf(ordinal);
  return bucketOf(ordinal + count - 1) === bucket ? ordinal : (bucket + 1) * ORDINALS_PER_BUCKET;
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

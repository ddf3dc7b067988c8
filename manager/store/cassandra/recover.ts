import { Cursors } from './cursors.ts';
import { stopFilling } from './fills.ts';
import { SHARDS_PER_ROUND } from './layout.ts';
import { daysOf, seenRows } from './presence.ts';
import { blocksOf, limitsOf } from './reader.ts';
import { eachOf, type Session } from './session.ts';
import type { Voids } from './voids.ts';
import { makeVoid } from './writer.ts';

const LIMIT_READ_MS = 60_000;
/** Buckets that are looked at for the newest line; those before may have been written and then expired. */
const LIMIT_BUCKETS_LOOKED_AT = 16;

/**
 * Ends what earlier runs of this manager left: each wrote at most one append whose cursors it did not move, in the last
 * bucket that it named. What its cursors do not stand for is made void. Answers how many (agent, epoch) that were.
 */
export async function settleEarlierRuns(
  session: Session,
  voids: Voids,
  { manager, writer, ttl }: { manager: string; writer: string; ttl: number },
): Promise<number> {
  const cursors = new Cursors(session, manager);
  let made = 0;
  for (const row of await session.run('SELECT writer, bucket, closed FROM writers WHERE manager = ?', [manager])) {
    const earlier = String(row['writer']);
    if (earlier === writer) continue;
    if (row['closed'] !== true && row['bucket'] !== null) {
      const left = await lastAppend(session, voids, earlier, row['bucket'] as number);
      for (const { append, agent, epoch } of left) {
        const mark = { writer: earlier, append };
        if (await stopFilling(session, manager, { agent, epoch }, mark)) continue;
        if (await cursors.stop(agent, epoch, mark)) continue;
        await makeVoid(session, voids, mark, agent, epoch, ttl);
        made += 1;
      }
    }
    await session.run('DELETE FROM writers WHERE manager = ? AND writer = ?', [manager, earlier]);
  }
  return made;
}

/** The (agent, epoch) of the newest append of a run. Shards are all looked at: what finds them may not be written. */
async function lastAppend(session: Session, voids: Voids, writer: string, bucket: number) {
  const limits = limitsOf(LIMIT_READ_MS);
  const found = new Map<string, { append: number; agent: string; epoch: string }>();
  let newest = 0;
  for (let round = 0, any = true; any; round += 1) {
    any = false;
    const shards = Array.from({ length: SHARDS_PER_ROUND }, (_, i) => round * SHARDS_PER_ROUND + i);
    await eachOf(shards, 16, async (shard) => {
      const range = { order: 'newest', with: 'nothing', unsettled: true } as const;
      for await (const { mark, origin } of blocksOf({ session, voids }, bucket, shard, range, limits)) {
        any = true;
        if (mark.writer !== writer || mark.append < newest) continue;
        if (mark.append > newest) found.clear();
        newest = mark.append;
        const { agent, epoch } = origin;
        found.set(`${agent} ${epoch}`, { append: newest, agent, epoch });
      }
    });
  }
  return [...found.values()];
}

/** The newest arrival number that is stored, 0 when there is none. */
export async function newestStored(session: Session, voids: Voids): Promise<number> {
  let looked = 0;
  for (const day of await daysOf(session, 'days')) {
    const shardsOf = new Map<number, number[]>();
    for (const row of await seenRows(session, 'all', '', day)) {
      const bucket = row['bucket'] as number;
      shardsOf.set(bucket, [...(shardsOf.get(bucket) ?? []), row['shard'] as number]);
    }
    for (const [bucket, shards] of shardsOf) {
      let newest = 0;
      for (const shard of shards)
        for await (const block of blocksOf(
          { session, voids },
          bucket,
          shard,
          { order: 'newest', with: 'nothing', unsettled: true },
          limitsOf(LIMIT_READ_MS),
        )) {
          newest = Math.max(newest, block.ordinal + block.reach - 1);
          break;
        }
      if (newest > 0) return newest;
      looked += 1;
      if (looked >= LIMIT_BUCKETS_LOOKED_AT) return 0;
    }
  }
  return 0;
}

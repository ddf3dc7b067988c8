import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type BusKeys, WIRE_VERSION } from './wire.ts';

const presenceSchema = z.object({
  id: z.string().min(1),
  name: z.string(),
  run: z.string().min(1),
  version: z.string(),
  wire: z.number(),
  startedMs: z.number(),
});

/** A manager as it shows itself to the others. `run` is new at each start. */
export type Presence = z.infer<typeof presenceSchema>;

/** A manager that says nothing for so long is gone. */
export const PRESENCE_TTL_MS = 10_000;

/** Says that this manager is there. The first time the others are told to look. */
export async function showPresence(redis: Redis, keys: BusKeys, me: Presence, isFirst: boolean): Promise<void> {
  await redis.set(keys.presence(me.id), JSON.stringify(me), 'PX', PRESENCE_TTL_MS);
  await redis.sadd(keys.managers, me.id);
  if (isFirst) await redis.xadd(keys.hello, 'MAXLEN', '~', 100, '*', 'id', me.id);
}

/** Takes this run's presence away, if it is still there. */
export async function endPresence(redis: Redis, keys: BusKeys, me: Presence): Promise<void> {
  await redis.del(keys.presence(me.id));
  await redis.srem(keys.managers, me.id);
  await redis.xadd(keys.hello, 'MAXLEN', '~', 100, '*', 'id', me.id);
}

/** The other managers that are there now, of every version. */
export async function readPeers(redis: Redis, keys: BusKeys, ownId: string): Promise<Presence[]> {
  const ids = (await redis.smembers(keys.managers)).filter((id) => id !== ownId);
  if (ids.length === 0) return [];
  const texts = await redis.mget(...ids.map(keys.presence));
  const gone = ids.filter((_, i) => texts[i] === null);
  if (gone.length > 0) await redis.srem(keys.managers, ...gone);
  return texts.flatMap((text) => {
    if (text === null || text === undefined) return [];
    try {
      return [presenceSchema.parse(JSON.parse(text))];
    } catch {
      return [];
    }
  });
}

export const speaksOurs = ({ wire }: Presence): boolean => wire === WIRE_VERSION;

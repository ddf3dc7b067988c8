import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { whenReady } from '../../../logging/redis-connection.ts';
import { type Presence, readPeers, speaksOurs } from './presence.ts';
import { type BusKeys, type BusMessage, decodeMessage, linesOf } from './wire.ts';

export interface IncomingDeps {
  redis: Redis;
  keys: BusKeys;
  ownId: string;
  onMessage(manager: Presence, message: BusMessage): void;
  /** So many lines of a manager never came: it or we were too slow, or Redis lost them. */
  onBreak(manager: Presence, lines: number): void;
  /** Who is there changed. */
  onPeers(peers: Presence[]): void;
  onBadEntry(manager: Presence, error: unknown): void;
}

interface Place {
  manager: Presence;
  id: string;
  /** Lines of this run that are accounted for. */
  upTo: number;
}
type Entry = [id: string, values: string[]];

const BLOCK_MS = 1_000;
/** An answer that takes longer never comes: the connection is made anew. */
const LIMIT_ANSWER_MS = 4_000;
const LOOK_EVERY_MS = 2_000;
const RETRY_MS = 200;
const COUNT = 64;

/** Reads the streams of all other managers, each in order and each entry once, over every outage of Redis. */
export function createIncoming(deps: IncomingDeps) {
  const { redis, keys, ownId } = deps;
  const places = new Map<string, Place>();
  let helloId = '$';
  let known = '';
  let isFirstLook = true;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let peers: Presence[] = [];

  async function look(): Promise<void> {
    if (helloId === '$') helloId = (await newest(keys.hello))?.[0] ?? '0-0';
    peers = await readPeers(redis, keys, ownId);
    lookedAt = performance.now();
    for (const manager of peers.filter(speaksOurs)) {
      const stream = keys.stream(manager.id, manager.run);
      if (places.has(stream)) continue;
      // Who was there before us is heard from now on; who came later, from its first word.
      const last = isFirstLook ? await newest(stream) : undefined;
      places.set(stream, { manager, id: last?.[0] ?? '0-0', upTo: last === undefined ? 0 : upToOf(last) });
    }
    isFirstLook = false;
    const now = JSON.stringify(peers);
    if (now !== known) deps.onPeers(peers);
    known = now;
  }

  async function newest(key: string): Promise<Entry | undefined> {
    return ((await redis.xrevrange(key, '+', '-', 'COUNT', 1)) as Entry[])[0];
  }

  async function round(): Promise<void> {
    await whenReady(redis);
    if (performance.now() - lookedAt >= LOOK_EVERY_MS) await look();
    const streams = [...places.keys()];
    const ids = streams.map((stream) => places.get(stream)!.id);
    const answer = (await redis.xread(
      ...(['COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS'] as const),
      ...[keys.hello, ...streams, helloId, ...ids],
    )) as [string, Entry[]][] | null;
    const heard = new Set<string>();
    for (const [stream, entries] of answer ?? []) {
      if (stopped) return;
      heard.add(stream);
      if (stream === keys.hello) {
        helloId = entries.at(-1)![0];
        lookedAt = Number.NEGATIVE_INFINITY;
      } else for (const entry of entries) take(places.get(stream)!, entry);
    }
    const present = new Set(peers.map(({ id, run }) => keys.stream(id, run)));
    // Of a manager that has gone, or began anew, all is read first.
    for (const stream of streams) if (!present.has(stream) && !heard.has(stream)) places.delete(stream);
  }

  function take(place: Place, entry: Entry): void {
    const upTo = upToOf(entry);
    const text = entry[1][entry[1].indexOf('d') + 1] ?? '';
    place.id = entry[0];
    let message: BusMessage = { batches: [], notes: [], hints: [] };
    try {
      message = decodeMessage(text);
    } catch (error) {
      deps.onBadEntry(place.manager, error);
    }
    const lines = message.batches.reduce((sum, batch) => sum + linesOf(batch), 0);
    const missed = upTo - place.upTo - lines;
    place.upTo = upTo;
    if (missed > 0) deps.onBreak(place.manager, missed);
    deps.onMessage(place.manager, message);
  }

  async function bounded(work: Promise<void>): Promise<void> {
    const timer = setTimeout(() => redis.disconnect(true), LIMIT_ANSWER_MS);
    try {
      await work;
    } finally {
      clearTimeout(timer);
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      try {
        await bounded(round());
      } catch {
        // Told by the sending side; here it is only tried again.
        if (!stopped) await sleep(RETRY_MS);
      }
    }
  }

  return {
    start: () => void run(),
    peers: () => peers,
    stop() {
      stopped = true;
      redis.disconnect();
    },
  };
}

function upToOf([, values]: Entry): number {
  return Number(values[values.indexOf('n') + 1] ?? 0);
}

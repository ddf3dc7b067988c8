import type { EpochCursor, EpochRange } from '../../common/wire/link.ts';

/** What was wrong at one place of an epoch, how often, and since when. */
export interface Trouble {
  at: number;
  times: number;
  lastMs: number;
}

/**
 * Where one agent's lines stand: the ends of its epochs as they will be when everything queued is committed. After a
 * failed commit the road is thrown away and made anew from the store.
 */
export interface Road {
  ends: Map<string, EpochCursor>;
  /** By epoch: the frame that is refused again and again, or the hole. */
  troubles: Map<string, Trouble>;
  /** By epoch: until when frames beyond the end are those that were on their way when the agent was sent back. */
  sentBackUntilMs: Map<string, number>;
  /** By epoch: the first number that the agent still has, as it said at its hello. */
  announcedFirst: Map<string, number>;
}

export function createRoad(cursors: EpochCursor[]): Road {
  return {
    ends: new Map(cursors.map((cursor) => [cursor.epoch, cursor])),
    troubles: new Map(),
    sentBackUntilMs: new Map(),
    announcedFirst: new Map(),
  };
}

/** Notes what the agent says it holds. */
export function announce(road: Road, epochs: readonly EpochRange[]): void {
  road.announcedFirst = new Map(epochs.map(({ epoch, first }) => [epoch, first]));
  road.troubles.clear();
  road.sentBackUntilMs.clear();
}

/** Counts a trouble at one place; answers how often it happened there. */
export function troubleAt(road: Road, epoch: string, at: number, nowMs: number): number {
  const known = road.troubles.get(epoch);
  if (known === undefined || known.at !== at) {
    road.troubles.set(epoch, { at, times: 1, lastMs: nowMs });
    return 1;
  }
  known.times += 1;
  known.lastMs = nowMs;
  return known.times;
}

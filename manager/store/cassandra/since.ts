import type { Line } from '../../../common/model/line.ts';
import type { LineFilter } from '../ports.ts';
import type { Block } from './block.ts';
import { laneOf } from './layout.ts';
import { LAST_ORDINAL, walk } from './neighbours.ts';
import { lookUps } from './presence.ts';
import type { Limits } from './reader.ts';
import { compileFilter, type ReadDeps, rangeOf } from './scan.ts';
import { createSieve } from './sieve.ts';

/**
 * Lines that arrived after a place, oldest first. A place is one arrival number for each manager whose lines were heard; of
 * the others everything counts that is newer than the newest of them. Each manager's own numbers grow, while between
 * them a smaller one may be stored later: one number for all would lose lines or show them twice.
 */
export async function linesSince(
  deps: ReadDeps,
  filter: LineFilter,
  after: number | readonly number[],
  limit: number,
  newestOwn: number,
  limits: Limits,
  floor?: number,
): Promise<{ lines: Line[]; lastOrdinal: number; positions: number[] }> {
  const given = typeof after === 'number' ? [after] : after.length === 0 ? [floor ?? 0] : after;
  const newestGiven = Math.max(...given);
  const places = new Map(typeof after === 'number' ? [] : given.map((ordinal) => [laneOf(ordinal), ordinal]));
  const placeIn = (ordinal: number) => places.get(laneOf(ordinal)) ?? floor ?? newestGiven;
  const compiled = compileFilter(filter);
  await deps.voids.refresh();
  const { fromMs, toMs } = rangeOf(filter);
  /** How far each manager was looked at, whether it matched or not. */
  const looked = new Map<number, number>();
  const reach = (seen: Map<number, number>, ordinal: number) => {
    const lane = laneOf(ordinal);
    seen.set(lane, Math.max(seen.get(lane) ?? 0, ordinal));
  };
  const found = await walk(
    deps,
    {
      ...{
        order: 'oldest',
        fromOrdinal: Math.max(1, Math.min(...given, floor ?? Infinity) + 1),
        toOrdinal: LAST_ORDINAL,
        limit,
      },
      shards: (shards) => shards,
      mayHave: lookUps(deps.session, compiled.query),
      sieve: createSieve(deps, filter, limits),
      wants(block: Block) {
        const last = block.ordinal + block.reach - 1;
        reach(looked, last);
        return last > placeIn(last);
      },
      *rows(open) {
        for (const i of compiled.rows(open)) {
          const sortMs = open.sortMsAt(i);
          const ordinal = open.ordinalAt(i);
          if (ordinal > placeIn(ordinal) && sortMs >= fromMs && sortMs < toMs) yield i;
        }
      },
    },
    limits,
  );
  const isFull = found.length === limit && limit > 0;
  const reached = new Map(places);
  for (const { ordinal } of found) reach(reached, ordinal);
  if (!isFull) {
    for (const ordinal of looked.values()) reach(reached, ordinal);
    if (newestOwn > 0) reach(reached, newestOwn);
  }
  if (reached.size === 0) reached.set(laneOf(newestGiven), newestGiven);
  return {
    lines: found.map((one) => one.line),
    lastOrdinal: isFull ? found.at(-1)!.ordinal : Math.max(newestGiven, ...reached.values()),
    positions: [...reached.values()],
  };
}

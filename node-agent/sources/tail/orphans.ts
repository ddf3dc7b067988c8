import type { Places } from '../../../logging/spool/places.ts';
import { forgetGone } from './began.ts';
import { parsePosition } from './position.ts';

/** A log that was renamed is followed as long as somebody writes to it so often. */
const WRITTEN_MS = 3_600_000;
const FORGET_EVERY_MS = 600_000;

/**
 * Logs that have a place and may be found by no pattern any more: renamed, while nothing new has their name yet. What they got
 * last is read under the new name. In the first look of a process all that are not known to be gone, later those that were read
 * within the hour: renamed for good, they are not followed for ever.
 */
export function createOrphans({ places }: { places: Places }, prefix: string) {
  let isFirst = true;
  let forgotMs = Number.NEGATIVE_INFINITY;

  function forget(nowMs: number): void {
    if (Math.abs(nowMs - forgotMs) < FORGET_EVERY_MS) return;
    forgotMs = nowMs;
    forgetGone(places, prefix, nowMs);
  }

  return {
    forget,
    /** Paths that such logs had; those that are listed all the same are left out. */
    paths(nowMs: number, isListed: (path: string) => boolean): string[] {
      forget(nowMs);
      const found: string[] = [];
      for (const name of places.names(prefix)) {
        if (isListed(name.slice(prefix.length))) continue;
        const at = parsePosition(places.get(name));
        if (at !== null && at.goneMs === undefined && (isFirst || Math.abs(nowMs - at.seenMs) < WRITTEN_MS))
          found.push(at.path);
      }
      isFirst = false;
      return found;
    },
  };
}

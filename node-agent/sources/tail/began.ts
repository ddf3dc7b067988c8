import { existsSync } from 'node:fs';
import type { Places } from '../../../logging/spool/places.ts';
import { parsePosition } from './position.ts';

const KEEP_GONE_MS = 7 * 86_400_000;
const KEEP_UNSEEN_MS = 30 * 86_400_000;
const LIMIT_GONE = 5_000;
/** Of a log that is older than our first look at its kind, so much of the end is read. */
const OLD_LOG_BYTES = 64 * 1024;
/** Looks are noted so far apart: each note is a transaction. */
const NOTE_LOOK_MS = 300_000;

/**
 * How much is read of a log that has no place yet: its end, when it was there before we ever looked for logs of this
 * kind; everything, when it came since.
 */
export function firstLook(places: Places, kind: string, oldLogBytes = OLD_LOG_BYTES) {
  const name = `began:${kind}`;
  return {
    bytes: () => (places.get(name) === undefined ? oldLogBytes : Number.POSITIVE_INFINITY),
    /** When such logs were looked for, and what was found had a place; null when that is not known. */
    sinceMs(): number | null {
      const atMs = Number(places.get(name));
      // Only that there was a look is known of one by an older agent.
      return atMs > 1 ? atMs : null;
    },
    /** A look that began at this time is over, and all that it found has a place. */
    begun(atMs: number): void {
      const lastMs = Number(places.get(name) ?? 0);
      if (Math.abs(atMs - lastMs) >= NOTE_LOOK_MS) places.set(name, String(atMs));
    },
  };
}
export type FirstLook = ReturnType<typeof firstLook>;

/**
 * Forgets the places of logs that have been gone for a week, the earliest of very many, and of those that nobody follows any
 * more and that are not there.
 */
export function forgetGone(places: Places, prefix: string, nowMs: number): void {
  const gone: { name: string; goneMs: number }[] = [];
  for (const name of places.names(prefix)) {
    const at = parsePosition(places.get(name));
    if (at === null) continue;
    if (at.goneMs === undefined) {
      if (at.seenMs < nowMs - KEEP_UNSEEN_MS && !existsSync(at.path)) places.set(name, null);
    } else if (!existsSync(at.path)) gone.push({ name, goneMs: at.goneMs });
  }
  gone.sort((a, b) => b.goneMs - a.goneMs);
  for (const [index, { name, goneMs }] of gone.entries())
    if (index >= LIMIT_GONE || goneMs < nowMs - KEEP_GONE_MS) places.set(name, null);
}

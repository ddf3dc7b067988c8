import { existsSync } from 'node:fs';
import type { Places } from '../../../logging/spool/places.ts';
import { parsePosition } from './position.ts';

const KEEP_GONE_MS = 7 * 86_400_000;
/** Of a log that is older than our first look at its kind, so much of the end is read. */
const OLD_LOG_BYTES = 64 * 1024;

/**
 * How much is read of a log that has no place yet: its end, when it was there before we ever looked for logs of this
 * kind; everything, when it came since. `begun` says that the first look is over.
 */
export function firstLook(places: Places, kind: string, oldLogBytes = OLD_LOG_BYTES) {
  const name = `began:${kind}`;
  let isFirst = places.get(name) === undefined;
  return {
    bytes: () => (isFirst ? oldLogBytes : Number.POSITIVE_INFINITY),
    begun(): void {
      if (isFirst) places.set(name, '1');
      isFirst = false;
    },
  };
}

/** Forgets the places of logs that have been gone for a week. */
export function forgetGone(places: Places, prefix: string, nowMs: number): void {
  for (const name of places.names(prefix)) {
    const { goneMs, path } = parsePosition(places.get(name)) ?? {};
    if (goneMs !== undefined && goneMs < nowMs - KEEP_GONE_MS && !existsSync(path ?? '')) places.set(name, null);
  }
}

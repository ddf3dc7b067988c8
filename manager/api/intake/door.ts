import type { NewLine } from '../../../common/model/line.ts';

/** Who sends lines over HTTP: the credential proves it, nothing of it is read from the body. */
export interface HttpSender {
  way: 'http' | 'otlp' | 'loki';
  id: string;
  name: string;
}

/** Where the readers of this room hand lines on: see `manager/intake/outside`. */
export interface LineDoor {
  admit(sender: HttpSender): void;
  store(sender: HttpSender, lines: readonly NewLine[]): Promise<void>;
  refused(sender: HttpSender, reason: string, count?: number): void;
}

/** What was read of a body. Reasons are constant text: they are counted. */
export interface ReadLines {
  lines: NewLine[];
  refusedCount: number;
  /** The first hundred. */
  refused: { index: number; reason: string }[];
}

const LIMIT_REFUSED_TOLD = 100;

/** Lines of one request. */
export const LIMIT_REQUEST_LINES = 10_000;
/** More than that are refused: the parts of one request are looked at within one turn of the event loop. */
const TOO_MANY_LINES = `more than ${LIMIT_REQUEST_LINES} lines in one request`;

export interface Reading extends ReadLines {
  /** The line at this place, or why it is none. */
  take(index: number, read: NewLine | string): void;
  /** So many from this place on are refused unread: a body may hold millions of nothings. */
  refuseRest(index: number, count: number): void;
}

/** Gathers what is read. */
export function createReading(): Reading {
  const reading: Reading = {
    ...{ lines: [], refusedCount: 0, refused: [] },
    take(index, read) {
      if (typeof read !== 'string') reading.lines.push(read);
      else {
        reading.refusedCount += 1;
        if (reading.refused.length < LIMIT_REFUSED_TOLD) reading.refused.push({ index, reason: read });
      }
    },
    refuseRest(index, count) {
      reading.refusedCount += count;
      const told = Math.min(count, LIMIT_REFUSED_TOLD - reading.refused.length);
      for (let i = 0; i < told; i += 1) reading.refused.push({ index: index + i, reason: TOO_MANY_LINES });
    },
  };
  return reading;
}

/** Stores what was read and counts what was not. Rejects when the lines cannot be stored. */
export async function handOn(door: LineDoor, sender: HttpSender, read: ReadLines): Promise<void> {
  const reasons = new Map<string, number>();
  for (const { reason } of read.refused) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const [reason, count] of reasons) door.refused(sender, reason, count);
  const untold = read.refusedCount - read.refused.length;
  if (untold > 0) door.refused(sender, 'beyond the first hundred of their requests', untold);
  await door.store(sender, read.lines);
}

import { LEVELS, type NewLine } from '../../../common/model/line.ts';
import { isTooDeep, LIMIT_MESSAGE_CHARACTERS } from '../../../common/pure/outside/fields.ts';
import { createReading, LIMIT_REQUEST_LINES, type ReadLines } from '../intake/door.ts';
import { levelNamed } from '../intake/levels.ts';

const LIMIT_FIELDS_CHARACTERS = 16 * 1024;

/**
 * Lines that a program outside posts. What they say of their level and time is taken as said; who they are is not theirs
 * to say: `host`, `agent`, `source`, `id`, `job` and everything else become fields, the source is `external`, and the
 * field `sender` names the credential. One bad line never fails the others.
 */
export function readOutsideLines(body: unknown, sender: string, nowMs: number): ReadLines {
  const reading = createReading();
  const items = itemsOf(body);
  for (const [index, item] of items.slice(0, LIMIT_REQUEST_LINES).entries())
    reading.take(index, readOne(item, sender, nowMs));
  reading.refuseRest(LIMIT_REQUEST_LINES, Math.max(0, items.length - LIMIT_REQUEST_LINES));
  return reading;
}

const NOT_JSON = Symbol('not JSON');

function itemsOf(body: unknown): unknown[] {
  if (Array.isArray(body)) return body;
  if (typeof body !== 'string') return [body];
  const rows = body.split('\n').filter((row) => row.trim() !== '');
  return rows.map((row, index) => {
    // Refused by its number: reading it would be work for nobody.
    if (index >= LIMIT_REQUEST_LINES) return NOT_JSON;
    try {
      return JSON.parse(row) as unknown;
    } catch {
      return NOT_JSON;
    }
  });
}

/** The line, or why it is none. */
function readOne(item: unknown, sender: string, nowMs: number): NewLine | string {
  if (item === NOT_JSON) return 'not JSON';
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return 'not an object';
  const { message, level, tsMs, ts, unit, fields, ...claims } = item as Record<string, unknown>;
  if (typeof message !== 'string') return 'message: must be text';
  if (message.length > LIMIT_MESSAGE_CHARACTERS) return `message: longer than ${LIMIT_MESSAGE_CHARACTERS} characters`;
  const known = level === undefined ? 'info' : levelNamed(level);
  if (known === null) return `level: one of ${LEVELS.join(', ')}`;
  const time = timeOf(tsMs ?? ts, nowMs);
  if (time === null) return 'tsMs: must be milliseconds since 1970, or ts an ISO 8601 time';
  if (unit !== undefined && (typeof unit !== 'string' || unit.length > 255)) return 'unit: must be a short text';
  if (fields !== undefined && (typeof fields !== 'object' || fields === null || Array.isArray(fields)))
    return 'fields: must be an object';
  if (isTooDeep(claims) || isTooDeep(fields)) return 'fields: nested too deeply';
  const { gap, ...all }: Record<string, unknown> = { ...claims, ...fields, sender, via: 'http' };
  // A record of lost lines is ours alone to make.
  if (gap !== undefined) all['external.gap'] = gap;
  if (JSON.stringify(all).length > LIMIT_FIELDS_CHARACTERS) return 'fields: too large';
  return { tsMs: time, level: known, source: 'external', message, ...(unit ? { unit } : {}), fields: all };
}

/** 0..8.64e15 are the times that a Date can hold. */
function timeOf(given: unknown, nowMs: number): number | null {
  if (given === undefined || given === null) return nowMs;
  const ms = typeof given === 'number' ? given : typeof given === 'string' ? Date.parse(given) : Number.NaN;
  return Number.isFinite(ms) && ms >= 0 && ms <= 8.64e15 ? Math.round(ms) : null;
}

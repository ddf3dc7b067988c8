import { LEVELS, type Level, type NewLine } from '../../../common/model/line.ts';

export const LIMIT_OUTSIDE_LINES = 10_000;
const LIMIT_MESSAGE_CHARACTERS = 64 * 1024;
const LIMIT_FIELDS_CHARACTERS = 16 * 1024;
const LIMIT_REFUSED_TOLD = 100;

/** Names of severities elsewhere: syslog, journald, other loggers. */
const LEVEL_OF: Record<string, Level> = {
  ...{
    emerg: 'error',
    emergency: 'error',
    alert: 'error',
    crit: 'error',
    critical: 'error',
    fatal: 'error',
    err: 'error',
  },
  ...{ error: 'error', warning: 'warn', warn: 'warn', notice: 'info', info: 'info', informational: 'info' },
  ...{ http: 'debug', verbose: 'debug', debug: 'debug', trace: 'debug', silly: 'debug' },
};

export interface OutsideLines {
  lines: NewLine[];
  refusedCount: number;
  refused: { index: number; reason: string }[];
}

/**
 * Lines that a program outside posts. What they say of their level and time is taken as said; who they are is not theirs
 * to say: `host`, `agent`, `source`, `id`, `job` and everything else become fields, the source is `external`, and the
 * field `sender` names the credential. One bad line never fails the others.
 */
export function readOutsideLines(body: unknown, sender: string, nowMs: number): OutsideLines {
  const read: OutsideLines = { lines: [], refusedCount: 0, refused: [] };
  for (const [index, item] of itemsOf(body).entries()) {
    const line = index < LIMIT_OUTSIDE_LINES ? readOne(item, sender, nowMs) : `more than ${LIMIT_OUTSIDE_LINES} lines`;
    if (typeof line !== 'string') read.lines.push(line);
    else {
      read.refusedCount += 1;
      if (read.refused.length < LIMIT_REFUSED_TOLD) read.refused.push({ index, reason: line });
    }
  }
  return read;
}

const NOT_JSON = Symbol('not JSON');

function itemsOf(body: unknown): unknown[] {
  if (Array.isArray(body)) return body;
  if (typeof body !== 'string') return [body];
  const rows = body.split('\n').filter((row) => row.trim() !== '');
  return rows.map((row) => {
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
  const known = level === undefined ? 'info' : levelOf(level);
  if (known === null) return `level: one of ${LEVELS.join(', ')}`;
  const time = timeOf(tsMs ?? ts, nowMs);
  if (time === null) return 'tsMs: must be milliseconds since 1970, or ts an ISO 8601 time';
  if (unit !== undefined && (typeof unit !== 'string' || unit.length > 255)) return 'unit: must be a short text';
  if (fields !== undefined && (typeof fields !== 'object' || fields === null || Array.isArray(fields)))
    return 'fields: must be an object';
  const all = { ...claims, ...fields, sender };
  if (JSON.stringify(all).length > LIMIT_FIELDS_CHARACTERS) return 'fields: too large';
  return { tsMs: time, level: known, source: 'external', message, ...(unit ? { unit } : {}), fields: all };
}

function levelOf(level: unknown): Level | null {
  const name = typeof level === 'string' ? level.toLowerCase() : '';
  return Object.hasOwn(LEVEL_OF, name) ? LEVEL_OF[name]! : null;
}

/** 0..8.64e15 are the times that a Date can hold. */
function timeOf(given: unknown, nowMs: number): number | null {
  if (given === undefined || given === null) return nowMs;
  const ms = typeof given === 'number' ? given : typeof given === 'string' ? Date.parse(given) : Number.NaN;
  return Number.isFinite(ms) && ms >= 0 && ms <= 8.64e15 ? Math.round(ms) : null;
}

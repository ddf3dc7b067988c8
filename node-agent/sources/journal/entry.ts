import type { Level, NewLine } from '../../../common/model/line.ts';
import { trimEndOf } from '../../../common/pure/trim-end.ts';
import { withoutNuls } from '../files/file-line.ts';
import { CUT_MARK } from '../tail/line-cutter.ts';

/** What of an entry is asked for. A core dump in some other field never comes over the pipe. */
export const ENTRY_FIELDS = [
  ...['MESSAGE', 'PRIORITY', '_SYSTEMD_UNIT', '_SYSTEMD_USER_UNIT', 'UNIT', '_SYSTEMD_CGROUP', '_HOSTNAME'],
  ...['SYSLOG_IDENTIFIER', 'SYSLOG_PID', '_PID', '_UID', '_COMM', '_TRANSPORT', 'MESSAGE_ID', 'CODE_FILE', 'CODE_LINE'],
  '_SOURCE_REALTIME_TIMESTAMP',
];
const MAX_FIELD_CHARS = 256;

export interface Entry {
  cursor: string;
  realtimeUs: number;
  unit: string;
  cgroup: string;
  line: NewLine;
}

const CURSOR = /^s=([0-9a-f]+);i=([0-9a-f]+);/;

/**
 * How many entries lie between two, by the numbers that journald gives them; undefined where they are of different journals, or
 * what was numbered anew.
 */
export function entriesBetween(before: string, after: string): number | undefined {
  const [, series, from] = CURSOR.exec(before) ?? [];
  const [, same, to] = CURSOR.exec(after) ?? [];
  if (series === undefined || series !== same || from === undefined || to === undefined) return undefined;
  const count = Number.parseInt(to, 16) - Number.parseInt(from, 16) - 1;
  return count >= 0 && Number.isSafeInteger(count) ? count : undefined;
}

/** Reads one line of `journalctl -o json`; null for what is none. A message over the cap is cut and marked. */
export function parseEntry(text: string, capBytes: number): Entry | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof raw !== 'object' || raw === null) return null;
  const field = (name: string) => textOf((raw as Record<string, unknown>)[name]);
  const cursor = field('__CURSOR');
  const realtimeUs = Number(field('__REALTIME_TIMESTAMP'));
  if (cursor === '' || !Number.isFinite(realtimeUs)) return null;
  const sourceUs = Number(field('_SOURCE_REALTIME_TIMESTAMP'));
  const unit = unitOf(field);
  const fields: Record<string, unknown> = {};
  const keep = (key: string, value: string) => {
    if (value !== '') fields[key] = /^\d{1,15}$/.test(value) ? Number(value) : value.slice(0, MAX_FIELD_CHARS);
  };
  keep('identifier', field('SYSLOG_IDENTIFIER') || field('_COMM'));
  keep('pid', field('_PID') || field('SYSLOG_PID'));
  keep('uid', field('_UID'));
  keep('transport', field('_TRANSPORT'));
  keep('messageId', field('MESSAGE_ID'));
  if (field('CODE_FILE') !== '') keep('code', `${field('CODE_FILE')}:${field('CODE_LINE')}`);
  const message = bounded(withoutNuls(field('MESSAGE')), capBytes);
  const tsMs = Math.round((sourceUs > 0 ? sourceUs : realtimeUs) / 1_000);
  const level = levelOf(field('PRIORITY'));
  const line: NewLine = { tsMs, level, source: 'journal', unit, message, fields };
  return { cursor, realtimeUs, unit, cgroup: field('_SYSTEMD_CGROUP'), line };
}

/** The text of a field: as such, as bytes where it is not plain text, the first where there are several. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (!Array.isArray(value)) return '';
  if (value.length > 0 && value.every((one) => typeof one === 'number'))
    return Buffer.from(value as number[]).toString();
  return textOf(value[0]);
}

/** What systemd itself says of a unit belongs to that unit. */
function unitOf(field: (name: string) => string): string {
  const own = field('_SYSTEMD_USER_UNIT') || field('_SYSTEMD_UNIT');
  const about = own === 'init.scope' ? field('UNIT') : '';
  const unit = about || own || (field('_TRANSPORT') === 'kernel' ? 'kernel' : field('SYSLOG_IDENTIFIER'));
  return (unit || field('_COMM') || 'journal').slice(0, MAX_FIELD_CHARS);
}

function levelOf(priority: string): Level {
  if (priority === '') return 'info';
  const number = Number(priority);
  if (number <= 3) return 'error';
  return number === 4 ? 'warn' : number === 7 ? 'debug' : 'info';
}

function bounded(text: string, capBytes: number): string {
  const plain = trimEndOf(text, '\n');
  if (plain.length <= capBytes) return plain;
  return plain.slice(0, capBytes).replace(/[\ud800-\udbff]$/, '') + CUT_MARK;
}

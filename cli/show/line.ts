import type { Level, Line } from '../../common/model/line.ts';
import { visibleText } from '../../common/pure/visible-text.ts';

const COLORS: Record<Level, string> = { error: '\x1b[31m', warn: '\x1b[33m', info: '', debug: '\x1b[2m' };
const RESET = '\x1b[0m';
const FIELD_LIMIT = 160;

/** Local time of day with milliseconds, and the day where lines may be of several. */
function clock(tsMs: number, withDay: boolean): string {
  const date = new Date(tsMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = withDay ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` : '';
  return `${day}${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Fields as `key=value`, short ones only: the message is constant text, what it is about stands in its fields. */
function showFields(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(
      ([key, value]) =>
        ` ${visibleText(key)}=${visibleText(typeof value === 'string' ? value : JSON.stringify(value))}`,
    )
    .filter((text) => text.length <= FIELD_LIMIT)
    .join('');
}

/** One line for a terminal. All text of others passes through `visibleText`: nothing in it can steer the terminal. */
export function showLine(line: Line, color: boolean, withDay = false): string {
  const gap = line.fields?.['gap'] as { from: number; to: number; reason: string } | undefined;
  const where = line.hostName || line.agent;
  const about = line.unit === undefined ? line.source : `${line.source}/${line.unit}`;
  const text =
    gap === undefined
      ? `${clock(line.tsMs, withDay)} ${line.level.padEnd(5)} ${visibleText(where)} ${visibleText(about)}: ${visibleText(line.message)}${showFields(line.fields ?? {})}`
      : `${clock(line.tsMs, withDay)} gap   ${visibleText(where)}: ${gap.to - gap.from + 1} lines lost (${visibleText(gap.reason)})`;
  const tone = gap === undefined ? COLORS[line.level] : COLORS.warn;
  return color && tone !== '' ? tone + text + RESET : text;
}

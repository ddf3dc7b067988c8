import type { Gap, Level, Line, Source } from '../../common/model/line.ts';
import { ColumnBuilder, type LineColumns, valueAt } from '../../common/wire/frames.ts';
import type { LineBatch } from './ports.ts';

/** Times outside this range are no times: the limits of JavaScript's Date. */
const LIMIT_TIME_MS = 8.64e15;

/** A time as it is stored: whole milliseconds inside the range of dates. */
export function storedMs(tsMs: number): number {
  return Math.round(Math.min(LIMIT_TIME_MS, Math.max(-LIMIT_TIME_MS, tsMs)));
}

/**
 * The time by which lines of all hosts are ordered: the time its agent gave, corrected by how far that agent's clock is
 * off, and never later than it was received.
 */
export function sortMsOf(tsMs: number, { receivedMs, clockOffsetMs }: Pick<LineBatch, 'receivedMs' | 'clockOffsetMs'>) {
  return Math.min(storedMs(tsMs - (clockOffsetMs ?? 0)), storedMs(receivedMs));
}

/** The columns of a batch; a gap is one line that says what is missing, and has the number `gap.from`. */
export function columnsOf(batch: LineBatch): LineColumns {
  if (batch.columns !== null) return batch.columns;
  if (batch.gap === null) throw new TypeError('a batch has columns or a gap');
  // As the agent's clock shows it, like every other time of its lines.
  return gapColumns(batch.gap, batch.receivedMs + (batch.clockOffsetMs ?? 0));
}

function gapColumns(gap: Gap, nowMs: number): LineColumns {
  const builder = new ColumnBuilder();
  builder.add({
    tsMs: gap.lastTsMs ?? nowMs,
    level: 'warn',
    source: 'agent',
    message: `${gap.to - gap.from + 1} log lines are missing: ${gap.reason}`,
    fields: { gap },
  });
  return builder.take();
}

/** Row `i` of a batch as the line that the store answers later. `columns` are those of `columnsOf(batch)`. */
export function lineAt(batch: LineBatch, columns: LineColumns, i: number): Line {
  const line: Line = {
    id: `${batch.agent}.${batch.epoch}.${batch.first + i}`,
    tsMs: storedMs(columns.tsMs[i] ?? batch.receivedMs),
    receivedMs: storedMs(batch.receivedMs),
    level: valueAt(columns.level, i) as Level,
    host: batch.host,
    hostName: batch.hostName,
    agent: batch.agent,
    source: valueAt(columns.source, i) as Source,
    message: columns.message[i] ?? '',
  };
  const sortMs = sortMsOf(line.tsMs, batch);
  if (sortMs !== line.tsMs) line.sortMs = sortMs;
  for (const name of ['unit', 'instance', 'job', 'session'] as const) {
    const value = valueAt(columns[name], i);
    if (value !== undefined) line[name] = value;
  }
  const fields = columns.fields?.[i] ?? null;
  if (fields !== null) line.fields = parseFields(fields);
  return line;
}

/** Fields are checked on the way in; should a stored text be damaged, the line is still shown. */
export function parseFields(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { unreadable: text };
  }
}

const HALF_PAIR = /\\u[dD][89a-fA-F]/;
const ESCAPES = /\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g;

/**
 * JSON text as the database can read it: half a surrogate pair, which JSON.stringify writes as an escape, becomes the
 * replacement character. One such line would otherwise make every search of fields fail.
 */
export function storableJson(text: string | null): string | null {
  if (text === null || !HALF_PAIR.test(text)) return text;
  return text.replace(ESCAPES, (found) => (found.length === 6 ? '\\ufffd' : found));
}

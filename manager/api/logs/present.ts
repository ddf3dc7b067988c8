import type { Line } from '../../../common/model/line.ts';
import { visibleText } from '../../../common/pure/visible-text.ts';

export type ExportFormat = 'ndjson' | 'csv' | 'text';

export const EXPORT_TYPES: Record<ExportFormat, string> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  text: 'text/plain; charset=utf-8',
};

const CSV_COLUMNS = [
  ...['time', 'received', 'level', 'hostName', 'host', 'agent', 'source', 'unit', 'instance', 'job', 'session'],
  ...['message', 'fields', 'id'],
] as const;

/** What stands above the first line, or nothing. */
export function exportHead(format: ExportFormat): string {
  return format === 'csv' ? `${CSV_COLUMNS.join(',')}\r\n` : '';
}

/**
 * One line as one line of the file. Log text is hostile: in text and CSV what is hidden or acts in a terminal is made
 * visible, in NDJSON it is escaped and so comes back unchanged.
 */
export function exportLine(format: ExportFormat, line: Line): string {
  if (format === 'ndjson') return `${escapeHidden(JSON.stringify(line))}\n`;
  if (format === 'csv') return `${csvCells(line).join(',')}\r\n`;
  const where = line.hostName || line.agent;
  const fields = line.fields === undefined ? '' : ` ${JSON.stringify(line.fields)}`;
  const about = `${line.source}${line.unit === undefined ? '' : `/${line.unit}`}`;
  return `${visibleText(`${iso(line.tsMs)} ${line.level.padEnd(5)} ${where} ${about} ${line.message}${fields}`)}\n`;
}

const HIDDEN_IN_JSON =
  /[\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|\u034f|\u17b4|\u17b5|\udb40[\udc00-\udc7f]/g;

/** JSON may write any character as an escape: the reader gets the same text, the terminal gets nothing to act on. */
function escapeHidden(json: string): string {
  return json.replace(HIDDEN_IN_JSON, (text) =>
    [...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}

function csvCells(line: Line): string[] {
  const cells: Record<(typeof CSV_COLUMNS)[number], string> = {
    ...{ time: iso(line.tsMs), received: iso(line.receivedMs), level: line.level, hostName: line.hostName },
    ...{
      host: line.host,
      agent: line.agent,
      source: line.source,
      unit: line.unit ?? '',
      instance: line.instance ?? '',
    },
    ...{ job: line.job ?? '', session: line.session ?? '', message: line.message, id: line.id },
    fields: line.fields === undefined ? '' : JSON.stringify(line.fields),
  };
  return CSV_COLUMNS.map((column) => csvCell(cells[column]));
}

/** A cell that begins like a formula would be run by a spreadsheet: it gets an apostrophe, which spreadsheets hide. */
function csvCell(text: string): string {
  const shown = visibleText(text);
  const safe = /^[=+\-@\t]/.test(shown) ? `'${shown}` : shown;
  return /[",]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

import { visibleText } from '../../../../../common/pure/visible-text.ts';

/** Pairs that say something in a glance; longer values (ids, texts) stand behind them, or in the detail only. */
const SHORT_CHARS = 32;
const LONG_CHARS = 72;
/** More than any row is wide. */
const ROW_CHARS = 240;
const FIELDS_READ = 24;

/** What the columns of a row show already. */
const IN_COLUMNS = new Set(['instance', 'job', 'session', 'source', 'level', 'unit', 'gap']);

const NONE: ReadonlySet<string> = new Set();

/**
 * The fields of a line in one row of text, ` key=value key=value`: names first, then short ones, whole values only, nothing of
 * depth and nothing that a column shows (`shown`: columns that the reader chose). Messages are constant text, so this is what tells two of them apart.
 */
export function inlineFields(fields: Record<string, unknown> | undefined, shown: ReadonlySet<string> = NONE): string {
  if (fields === undefined) return '';
  let names = '';
  let short = '';
  let long = '';
  let read = 0;
  for (const key in fields) {
    if (read === FIELDS_READ || short.length > ROW_CHARS) break;
    read += 1;
    const value = fields[key];
    if (IN_COLUMNS.has(key) || shown.has(key) || value === null || value === '' || !isPlain(value)) continue;
    const pair = ` ${key}=${typeof value === 'string' && value.includes(' ') ? `"${value}"` : value}`;
    if (key === 'hostName' || key === 'name') names += pair.slice(0, LONG_CHARS);
    else if (pair.length <= SHORT_CHARS) short += pair;
    else if (pair.length <= LONG_CHARS && long.length < ROW_CHARS) long += pair;
  }
  const text = names + short + long;
  return text === '' ? '' : visibleText(text);
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

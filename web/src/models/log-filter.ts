/** What a stream of lines is narrowed to. All empty: every line. */
export interface LogFilter {
  q?: string;
  /** Least severe level that is shown. */
  level?: string;
  host?: string;
  instance?: string;
  source?: string;
  job?: string;
  /** Id of a computation session. */
  session?: string;
}

/** A filter with the range of stored lines; without `fromMs` and `toMs` the stream is live. */
export interface LogParams extends LogFilter {
  fromMs?: number;
  toMs?: number;
  /** A moment to look at inside of the range. */
  atMs?: number;
  /** The filter of a second stream beside this one, as the query of its own address. `''`: every line. */
  beside?: string;
  /** Columns and look that came with a link; see `StreamLook.borrow`. */
  cols?: string;
  view?: string;
}

export const FILTER_KEYS = ['q', 'level', 'host', 'instance', 'source', 'job', 'session'] as const;

/** Reads filter and range from the query of an address. Unknown keys and unreadable times are ignored. */
export function parseLogParams(query: string | null | undefined): LogParams {
  const given = new URLSearchParams(query ?? '');
  const params: LogParams = {};
  for (const key of FILTER_KEYS) {
    const value = given.get(key);
    if (value) params[key] = value;
  }
  for (const key of ['beside', 'cols', 'view'] as const) {
    const value = given.get(key);
    if (value !== null) params[key] = value;
  }
  const atMs = timeOf(given.get('at'));
  if (atMs !== undefined) params.atMs = atMs;
  const fromMs = timeOf(given.get('from'));
  const toMs = timeOf(given.get('to'));
  if (fromMs !== undefined) params.fromMs = fromMs;
  if (toMs !== undefined) params.toMs = toMs;
  return params;
}

/** The query of an address, without `?`; empty values are left out, so equal filters have equal addresses. */
export function formatLogParams(params: LogParams): string {
  const query = new URLSearchParams();
  for (const key of FILTER_KEYS) if (params[key]) query.set(key, params[key]);
  if (params.fromMs !== undefined) query.set('from', new Date(params.fromMs).toISOString());
  if (params.toMs !== undefined) query.set('to', new Date(params.toMs).toISOString());
  if (params.atMs !== undefined) query.set('at', new Date(params.atMs).toISOString());
  for (const key of ['beside', 'cols', 'view'] as const) if (params[key] !== undefined) query.set(key, params[key]);
  return query.toString();
}

/** Query of a call to `/api/v1/logs…`: the range as milliseconds since 1970. */
export function apiQuery(params: LogParams, more: Record<string, string | number> = {}): string {
  const query = new URLSearchParams();
  for (const key of FILTER_KEYS) if (params[key]) query.set(key, params[key]);
  if (params.fromMs !== undefined) query.set('from', String(Math.floor(params.fromMs)));
  if (params.toMs !== undefined) query.set('to', String(Math.ceil(params.toMs)));
  for (const [key, value] of Object.entries(more)) query.set(key, String(value));
  return query.toString();
}

/** The filter alone, without its range. */
export function filterOf(params: LogParams): LogFilter {
  const filter: LogFilter = {};
  for (const key of FILTER_KEYS) if (params[key]) filter[key] = params[key];
  return filter;
}

/**
 * `q` with one more term. Values are quoted when they hold anything but plain word characters; quotes and
 * backslashes inside are escaped. A term that is there already is not added twice.
 */
export function withTerm(q: string | undefined, field: string, value: string, exclude: boolean): string {
  const text = /^[\w.@-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
  const term = `${exclude ? '-' : ''}${field}:${text}`;
  const before = (q ?? '').trim();
  if (before === '') return term;
  return ` ${before} `.includes(` ${term} `) ? before : `${before} ${term}`;
}

function timeOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(ms) ? ms : undefined;
}

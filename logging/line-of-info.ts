import type { Level, NewLine, Source } from '../common/model/line.ts';
import { errorFields, plainFields } from './plain-fields.ts';

/** What winston hands to a transport. Symbols are those of its triple-beam package. */
export type Info = Record<string | symbol, unknown>;

const LEVEL = Symbol.for('level');
const SPLAT = Symbol.for('splat');

const LEVEL_OF: Record<string, Level> = {
  error: 'error',
  warn: 'warn',
  info: 'info',
  http: 'debug',
  verbose: 'debug',
  debug: 'debug',
  silly: 'debug',
};
const LINE_KEYS = ['unit', 'instance', 'job', 'session'] as const;
const NO_FIELD = new Set<string>(['level', 'message', 'splat', 'timestamp']);
const MAX_KEY_TEXT = 255;

/**
 * One logging call as one line. `unit`, `instance`, `job` and `session` move to the line, `source: 'audit'` too; all
 * else becomes fields. winston appends `meta.message` to the message: that is undone here, it stays a field.
 */
export function lineOfInfo(info: Info, source: Source, tsMs: number): NewLine {
  const line: NewLine = {
    tsMs,
    level: LEVEL_OF[String(info[LEVEL] ?? info['level'])] ?? 'info',
    source,
    message: messageOf(info),
  };
  const fields = fieldsOf(info);
  for (const key of LINE_KEYS) {
    const value = fields[key];
    if (typeof value !== 'string' || value === '' || value.length > MAX_KEY_TEXT) continue;
    line[key] = value;
    delete fields[key];
  }
  if (fields['source'] === 'audit') {
    line.source = 'audit';
    delete fields['source'];
  }
  if (Object.keys(fields).length > 0) line.fields = plainFields(fields);
  return line;
}

function metaOf(info: Info): unknown {
  const splat = info[SPLAT];
  return Array.isArray(splat) ? splat[0] : undefined;
}

function messageOf(info: Info): string {
  const message = textOf(info['message']);
  const meta = metaOf(info);
  if (typeof meta !== 'object' || meta === null) return message;
  const appended = (meta as { message?: unknown }).message;
  const tail = ` ${String(appended)}`;
  return appended && message.endsWith(tail) ? message.slice(0, -tail.length) : message;
}

function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  return message instanceof Error ? message.message : String(message);
}

function fieldsOf(info: Info): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  if (info instanceof Error || info['message'] instanceof Error)
    Object.assign(fields, errorFields(info instanceof Error ? info : info['message']));
  else for (const key of Object.keys(info)) if (!NO_FIELD.has(key)) fields[key] = info[key];
  const meta = metaOf(info);
  if (meta instanceof Error) {
    // winston has copied the error's own parts over the top: they are told once, inside `error`.
    for (const key of ['stack', 'cause', ...Object.keys(meta)]) delete fields[key];
    return Object.assign(fields, errorFields(meta));
  }
  if (typeof meta === 'object' && meta !== null) return Object.assign(fields, meta);
  if (meta !== undefined) fields['detail'] = meta;
  return fields;
}

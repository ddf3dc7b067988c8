import type { Info } from './line-of-info.ts';
import { errorFields, plainFields } from './plain-fields.ts';

/** One logging call as plain JSON, as the formats of winston left it. */
export interface PlainInfo {
  /** Wall clock at the call, milliseconds. */
  tsMs: number;
  /** winston's level, without what a format made of it (colours). */
  level: string;
  message: string;
  /** The text that a format made (`printf`, `simple`); absent when no format did, or when it is only JSON of the rest. */
  text?: string;
  fields?: Record<string, unknown>;
}

const LEVEL = Symbol.for('level');
const MESSAGE = Symbol.for('message');
const TOLD = new Set(['level', 'message']);
const MAX_MESSAGE_CHARS = 256 * 1024;

/**
 * The call as its formats left it: what a format took away stays away. Never throws; errors are opened, cycles, depths
 * and lengths are cut with a mark.
 */
export function plainInfo(info: Info, tsMs: number): PlainInfo {
  const said = info['message'];
  const plain: PlainInfo = { tsMs, level: String(info[LEVEL] ?? info['level']), message: cut(textOf(said)) };
  const text = info[MESSAGE];
  if (typeof text === 'string' && text !== plain.message && !text.startsWith('{')) plain.text = cut(text);
  const rest: Record<string, unknown> = {};
  // `logger.error(error)`: winston hands on the error itself, with its level written on it.
  const error = info instanceof Error ? info : said;
  if (error !== info) for (const key of Object.keys(info)) if (!TOLD.has(key)) rest[key] = info[key];
  if (error instanceof Error) Object.assign(rest, errorFields(error));
  if (Object.keys(rest).length > 0) plain.fields = plainFields(rest);
  return plain;
}

function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  if (message instanceof Error) return message.message;
  if (typeof message !== 'object' || message === null) return String(message);
  try {
    return JSON.stringify(plainFields({ message })['message']) ?? 'undefined';
  } catch {
    return '[unreadable]';
  }
}

function cut(text: string): string {
  return text.length <= MAX_MESSAGE_CHARS
    ? text
    : `${text.slice(0, MAX_MESSAGE_CHARS)}… [cut: ${text.length} characters]`;
}

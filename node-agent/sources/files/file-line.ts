import type { Level, NewLine } from '../../../common/model/line.ts';
import { guessLevelOfText } from './guess-level.ts';
import { readStamp } from './stamp.ts';

const MAX_FIELDS = 64;
const MAX_FIELD_CHARS = 4_096;
/** A word for the level near the beginning, as most programs write it. */
const WORD =
  /(?:^|[\s[(|<"=:])(EMERG(?:ENCY)?|ALERT|CRIT(?:ICAL)?|FATAL|PANIC|SEVERE|ERR(?:OR)?|WARN(?:ING)?|NOTICE|INFO(?:RMATION(?:AL)?)?|DEBUG|TRACE|VERBOSE|FINE(?:R|ST)?)(?=$|[\s\])|>":,;])/i;
const WORD_WITHIN_CHARS = 120;
const MESSAGE_KEYS = ['message', 'msg', 'MESSAGE', 'event', 'text', 'log'];
const LEVEL_KEYS = ['level', 'severity', 'lvl', 'levelname', 'log.level', 'loglevel'];
const TIME_KEYS = ['timestamp', 'time', 'ts', '@timestamp', 'date'];

/** The level that a word of some program stands for; undefined for a word that is none. */
export function levelOfWord(word: string): Level | undefined {
  const first = word.toLowerCase();
  if (/^(?:emerg|alert|crit|fatal|panic|severe|err)/.test(first)) return 'error';
  if (first.startsWith('warn')) return 'warn';
  if (/^(?:notice|info)/.test(first)) return 'info';
  return /^(?:debug|trace|verbose|fine)/.test(first) ? 'debug' : undefined;
}

/** Zero bytes, which a crash leaves in files, as one sign with their number. */
export function withoutNuls(text: string): string {
  return text.includes('\0') ? text.replace(/\0+/g, (run) => (run.length === 1 ? '␀' : `␀×${run.length}`)) : text;
}

export interface FileLineOf {
  unit: string;
  level: Level | undefined;
  fields: Readonly<Record<string, string>>;
  nowMs: number;
}

/** Makes a line of a text of some program: its own time and level where it has them, the keys of JSON as fields. */
export function fileLine(raw: string, of: FileLineOf): NewLine | null {
  const text = withoutNuls(raw);
  if (text.trim() === '') return null;
  const about = { source: 'file' as const, unit: of.unit };
  const plain = text.replace(/^␀(?:×\d+)?/, '');
  const json = plain.startsWith('{') ? jsonParts(plain, of.nowMs) : null;
  if (json !== null) {
    const { tsMs, level, message, fields } = json;
    return {
      ...about,
      tsMs: tsMs ?? of.nowMs,
      level: of.level ?? level ?? guessLevelOfText(message),
      message,
      fields: { ...fields, ...of.fields },
    };
  }
  const word = WORD.exec(text.slice(0, WORD_WITHIN_CHARS))?.[1];
  return {
    ...about,
    tsMs: readStamp(plain, of.nowMs) ?? of.nowMs,
    level: of.level ?? (word === undefined ? undefined : levelOfWord(word)) ?? guessLevelOfText(text),
    message: text,
    ...(Object.keys(of.fields).length === 0 ? {} : { fields: { ...of.fields } }),
  };
}

function jsonParts(text: string, nowMs: number) {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  const all = new Map(Object.entries(parsed));
  const take = (keys: string[], fits: (value: unknown) => boolean) => {
    const key = keys.find((name) => all.has(name) && fits(all.get(name)));
    const value = key === undefined ? undefined : all.get(key);
    if (key !== undefined) all.delete(key);
    return value;
  };
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  const message = (take(MESSAGE_KEYS, isText) as string | undefined) ?? text;
  const level = take(LEVEL_KEYS, (value) => isText(value) && levelOfWord(value as string) !== undefined);
  const tsMs = take(TIME_KEYS, (value) => timeOf(value, nowMs) !== null);
  const fields = Object.fromEntries(
    [...all].slice(0, MAX_FIELDS).map(([key, value]) => [key.slice(0, 128), bounded(value)]),
  );
  return {
    message,
    level: level === undefined ? undefined : levelOfWord(level as string),
    tsMs: tsMs === undefined ? undefined : timeOf(tsMs, nowMs),
    fields,
  };
}

function timeOf(value: unknown, nowMs: number): number | null {
  if (typeof value === 'string') return readStamp(value, nowMs);
  if (typeof value !== 'number') return null;
  // Seconds, milliseconds, microseconds or nanoseconds since 1970, by their size.
  const tsMs = value < 1e11 ? value * 1e3 : value < 1e14 ? value : value < 1e17 ? value / 1e3 : value / 1e6;
  return tsMs > 1e11 && tsMs < nowMs + 86_400_000 ? Math.round(tsMs) : null;
}

function bounded(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.length <= MAX_FIELD_CHARS) return value;
  return `${text.slice(0, MAX_FIELD_CHARS)}… [cut: ${text.length} characters]`;
}

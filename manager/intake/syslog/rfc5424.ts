import type { SyslogParts } from './parts.ts';

const HEAD = /^\d{1,3} (\S{1,64}) (\S{1,255}) (\S{1,255}) (\S{1,255}) (\S{1,255})(?: |$)/;

/** Reads what follows the priority of a message of RFC 5424. What cannot be read is the message, and marked. */
export function read5424(text: string, _nowMs: number): SyslogParts {
  const head = HEAD.exec(text);
  if (head === null) return { tsMs: null, message: text, malformed: 'the header of RFC 5424 is not whole' };
  const [whole, time, hostname, appname, procid, msgid] = head as unknown as [string, ...string[]];
  const parts: SyslogParts = { tsMs: null, message: '' };
  for (const [name, value] of Object.entries({ hostname, appname, procid, msgid }))
    if (value !== '-') parts[name as 'hostname'] = value!;
  const ms = time === '-' ? null : timeOf(time!);
  if (ms !== null && Number.isNaN(ms)) parts.malformed = 'the time is none';
  else parts.tsMs = ms;
  const rest = text.slice(whole.length);
  const read = readData(rest);
  if (read === null) return { ...parts, message: rest, malformed: 'the structured data is not whole' };
  if (read.data.length > 0) parts.data = read.data;
  // The byte order mark says that UTF-8 follows, and is no part of it. One more blank is what
  // rsyslog puts in front; several are an indentation, and stay.
  parts.message = rest
    .slice(read.end)
    .replace(/^ (?: (?! ))?/, '')
    .replace(/^\ufeff/, '');
  return parts;
}

function timeOf(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
}

const NAME = /[^\s=\]"]{1,255}/y;

/** Walks by hand: linear whatever the text is. Null when it does not end. */
function readData(text: string): { data: [string, Record<string, string>][]; end: number } | null {
  const data: [string, Record<string, string>][] = [];
  if (text === '' || text.startsWith('-')) return { data, end: Math.min(1, text.length) };
  let at = 0;
  const name = (): string | null => {
    NAME.lastIndex = at;
    const found = NAME.exec(text)?.[0] ?? null;
    at += found?.length ?? 0;
    return found;
  };
  while (text[at] === '[') {
    at += 1;
    const id = name();
    if (id === null) return null;
    const values: Record<string, string> = {};
    while (text[at] === ' ') {
      at += 1;
      const key = name();
      if (key === null || text[at] !== '=' || text[at + 1] !== '"') return null;
      const value = readValue(text, at + 2);
      if (value === null) return null;
      at = value.end;
      Object.defineProperty(values, key, { value: value.text, enumerable: true, configurable: true, writable: true });
    }
    if (text[at] !== ']') return null;
    at += 1;
    data.push([id, values]);
  }
  return data.length === 0 || (at < text.length && text[at] !== ' ') ? null : { data, end: at };
}

/** Up to the quotation mark; a backslash takes `"`, `\` and `]` as they are. */
function readValue(text: string, from: number): { text: string; end: number } | null {
  let [out, start] = ['', from];
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '"') return { text: out + text.slice(start, at), end: at + 1 };
    const next = text[at + 1];
    if (text[at] === '\\' && (next === '"' || next === '\\' || next === ']')) {
      out += text.slice(start, at) + next;
      at += 1;
      start = at + 1;
    }
  }
  return null;
}

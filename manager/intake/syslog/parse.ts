import { isUtf8 } from 'node:buffer';
import type { Level, NewLine } from '../../../common/model/line.ts';
import { boundedFields, boundedMessage, claimed } from '../../../common/pure/outside/fields.ts';
import { trimEndOf } from '../../../common/pure/trim-end.ts';
import type { SyslogMessage, SyslogParts } from './parts.ts';
import { read3164 } from './rfc3164.ts';
import { read5424 } from './rfc5424.ts';

const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp', 'ntp'],
  ...['audit', 'alert', 'clock', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];
const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const LEVELS: Level[] = ['error', 'error', 'error', 'error', 'warn', 'info', 'info', 'debug'];
/** What RFC 3164 gives a message that says nothing: user.notice. */
const USUAL_PRIORITY = 13;

/**
 * The line of a message of RFC 5424, RFC 3164, or of neither: what cannot be read is kept as text and marked, never lost.
 * One message is one line, whatever is in it. The name of a host that it claims is a field and no more.
 */
export function readSyslog(sent: SyslogMessage, sender: string, way: string, nowMs: number): NewLine {
  const bytes = Buffer.from(sent.bytes.buffer, sent.bytes.byteOffset, sent.bytes.byteLength);
  const text = trimEndOf(bytes.toString('utf8'), '\r\n\0');
  const priority = /^<(\d{1,3})>/.exec(text);
  const value = priority === null ? Number.NaN : Number(priority[1]);
  const known = value <= 191;
  const pri = known ? value : USUAL_PRIORITY;
  const rest = known ? text.slice(priority![0].length) : text;
  const parts: SyslogParts = !known
    ? { tsMs: null, message: text, malformed: 'no priority' }
    : /^[1-9]\d{0,2} /.test(rest)
      ? read5424(rest, nowMs)
      : read3164(rest, nowMs);
  const { message, wasCharacters } = boundedMessage(parts.message);
  const entries: [string, unknown][] = [
    ['facility', FACILITIES[pri >> 3]!],
    ['severity', SEVERITIES[pri & 7]!],
  ];
  for (const name of ['hostname', 'procid', 'msgid', 'malformed'] as const)
    if (parts[name] !== undefined) entries.push([name, parts[name]]);
  if (sent.wholeBytes > bytes.length) entries.push(['messageBytes', sent.wholeBytes]);
  if (wasCharacters !== null) entries.push(['messageCharacters', wasCharacters]);
  if (sent.brokenOff === true) entries.push(['brokenOff', true]);
  if (!isUtf8(bytes)) entries.push(['notUtf8', true]);
  for (const [id, values] of parts.data ?? []) entries.push([claimed(id), values]);
  const fields = boundedFields(entries);
  fields['sender'] = sender;
  fields['via'] = way;
  return {
    ...{ tsMs: parts.tsMs ?? nowMs, level: LEVELS[pri & 7]!, source: 'external', message },
    ...(parts.appname === undefined ? {} : { unit: parts.appname.slice(0, 255) }),
    fields,
  };
}

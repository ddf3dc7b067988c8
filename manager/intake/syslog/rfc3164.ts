import type { SyslogParts } from './parts.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const OLD_TIME = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.\d{1,9})? /;
/** As many programs write it today. */
const NEW_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) /;
const HOST = /^([^\s:[\]]{1,255}) (?=\S)/;
const TAG = /^([^\s:[\]]{1,64})(?:\[([^\]\s]{1,64})\])?: ?/;
const DAY_MS = 86_400_000;

/**
 * Reads what follows the priority of a message of RFC 3164, which describes what was seen and demands nothing: each part may
 * be absent. The time has no year and no zone: it is taken in this machine's zone, in the year that brings it next to now.
 */
export function read3164(text: string, nowMs: number): SyslogParts {
  const time = timeOf(text, nowMs);
  if (time === null) return withTag({ tsMs: null, message: text }, text);
  let rest = text.slice(time.length);
  const parts: SyslogParts = { tsMs: time.tsMs, message: rest };
  if (Number.isNaN(time.tsMs)) Object.assign(parts, { tsMs: null, malformed: 'the time is none' });
  const host = TAG.test(rest) ? null : HOST.exec(rest);
  if (host !== null) {
    parts.hostname = host[1]!;
    rest = rest.slice(host[0].length);
  }
  return withTag(parts, rest);
}

function withTag(parts: SyslogParts, text: string): SyslogParts {
  const tag = TAG.exec(text);
  if (tag === null) return { ...parts, message: text };
  const procid = tag[2] === undefined ? {} : { procid: tag[2] };
  return { ...parts, appname: tag[1]!, ...procid, message: text.slice(tag[0].length) };
}

function timeOf(text: string, nowMs: number): { tsMs: number; length: number } | null {
  const written = NEW_TIME.exec(text);
  if (written !== null) return { tsMs: Date.parse(written[1]!), length: written[0].length };
  const old = OLD_TIME.exec(text);
  if (old === null) return null;
  const [whole, month, day, ...clock] = old as unknown as [string, ...string[]];
  const at = MONTHS.indexOf(month!);
  const [hours, minutes, seconds] = clock.map(Number) as [number, number, number];
  const fits = at >= 0 && Number(day) >= 1 && Number(day) <= 31 && hours < 24 && minutes < 60 && seconds < 61;
  if (!fits) return { tsMs: Number.NaN, length: whole.length };
  const year = new Date(nowMs).getFullYear();
  const in_ = (one: number) => new Date(one, at, Number(day), hours, minutes, seconds).getTime();
  // In January a message of December is of last year; on New Year's Eve a clock ahead is in the next.
  const [here, before, behind] = [in_(year), in_(year - 1), in_(year + 1)];
  const tsMs = here > nowMs + 30 * DAY_MS ? before : here < nowMs - 330 * DAY_MS ? behind : here;
  return { tsMs, length: whole.length };
}

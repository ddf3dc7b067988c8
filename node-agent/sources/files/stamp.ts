const ISO = /^\[?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?\]?:?\s*/;
const SYSLOG = /^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([ \d]\d) (\d\d):(\d\d):(\d\d) /;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;

/**
 * The time that a line begins with: ISO 8601 and its usual variants, or that of syslog. Without a zone it is the host's own
 * time. Null when there is none, or one that cannot be.
 */
export function readStamp(text: string, nowMs: number): number | null {
  const found = ISO.exec(text);
  if (found !== null) {
    const [, day, time, part = '', zone = ''] = found;
    const plain = zone === 'Z' || zone === '' ? zone : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
    return plausible(Date.parse(`${day}T${time}.${part.padEnd(3, '0').slice(0, 3)}${plain}`), nowMs);
  }
  const old = SYSLOG.exec(text);
  if (old === null) return null;
  const [month, day, hour, minute, second] = [MONTHS.indexOf(old[1]!), ...old.slice(2).map(Number)] as number[];
  const at = (year: number) => new Date(year, month!, day, hour, minute, second).getTime();
  // There is no year in it: the one in which it is not of the future.
  const year = new Date(nowMs).getFullYear();
  return plausible(at(year) > nowMs + DAY_MS ? at(year - 1) : at(year), nowMs);
}

function plausible(tsMs: number, nowMs: number): number | null {
  return Number.isNaN(tsMs) || tsMs > nowMs + DAY_MS || tsMs < 0 ? null : tsMs;
}

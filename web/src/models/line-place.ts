import type { Line } from '../../../common/model/line.ts';

/** How lines from outside came in, for people. */
const WAYS: Record<string, string> = {
  ...{ http: 'HTTP', loki: 'Loki', otlp: 'OTLP' },
  ...{ 'syslog-udp': 'syslog, UDP', 'syslog-tcp': 'syslog, TCP', 'syslog-tls': 'syslog, TLS' },
};

/** `outside: syslog, UDP`, by the word with which the manager marks the way in; `outside` where it is not known. */
export function outsideName(via: unknown): string {
  return typeof via === 'string' && Object.hasOwn(WAYS, via) ? `outside: ${WAYS[via]}` : 'outside';
}

/** The same where there is little room, beside a column that says `external`: the way in alone. */
export function shortPlaceOf(line: Line): string {
  const place = placeOf(line);
  return place.startsWith('outside: ') ? place.slice('outside: '.length) : place;
}

/** Where a line comes from, for people: its host, the part of WebVirt that said it, or the way in from outside. */
export function placeOf(line: Line): string {
  if (line.source === 'external') return outsideName(line.fields?.['via']);
  return line.hostName || line.agent;
}

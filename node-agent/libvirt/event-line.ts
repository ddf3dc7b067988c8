import type { Level, NewLine } from '../../common/model/line.ts';
import type { VirshEvent } from './virsh-event-line.ts';

const ERROR_KINDS = new Set([
  'io-error',
  'io-error-reason',
  'control-error',
  'memory-failure',
  'device-removal-failed',
]);
const WARN_KINDS = new Set(['watchdog', 'block-threshold']);
/** Kinds that come often and say little. */
const QUIET_KINDS = new Set(['rtc-change', 'migration-iteration', 'balloon-change', 'tunable', 'graphics']);

/** The line that tells an event. `reading` is the cut of its text that fits a name we know. */
export function eventLine(event: VirshEvent, reading: { name: string; detail: string }, instance?: string): NewLine {
  const { name, detail } = reading;
  return {
    tsMs: event.tsMs,
    level: levelOf(event.kind, detail),
    source: 'libvirt',
    unit: event.kind,
    message: detail === '' ? `${name}: ${event.kind}` : `${name}: ${event.kind}: ${detail}`,
    ...(instance === undefined ? {} : { instance }),
    fields: { event: event.kind, name, ...(detail === '' ? {} : { detail }), ...event.values },
  };
}

function levelOf(kind: string, detail: string): Level {
  if (kind === 'lifecycle') {
    if (/^Crashed|^Stopped (?:Crashed|Failed)|I\/O Error/i.test(detail)) return 'error';
    return /^Suspended (?:Watchdog|API error|Post-copy)/i.test(detail) ? 'warn' : 'info';
  }
  if (ERROR_KINDS.has(kind)) return 'error';
  if (WARN_KINDS.has(kind)) return 'warn';
  return QUIET_KINDS.has(kind) ? 'debug' : 'info';
}

/** True when the event tells of a change that only the XML shows. */
export function changesXml(kind: string, detail: string): boolean {
  if (kind === 'lifecycle') return /^(?:Defined|Started|Stopped|Undefined)/.test(detail);
  return /^(?:metadata-change|device-|disk-change|tray-change|block-job|memory-device)/.test(kind);
}

/** True when the event says nothing about the state or the shape of the instance. */
export function isHarmless(kind: string): boolean {
  return QUIET_KINDS.has(kind) || kind === 'block-threshold' || kind === 'agent-lifecycle';
}

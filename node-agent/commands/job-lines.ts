import type { Level, NewLine } from '../../common/model/line.ts';
import type { Entry } from './journal-entry.ts';

const LEVEL: Partial<Record<Entry['state'], Level>> = { failed: 'error', unknown: 'error', cancelled: 'warn' };

/** The line that tells what became of an operation: its log alone must be enough to follow it. */
export function jobLine(entry: Entry, name: string | undefined, nowMs: number): NewLine {
  const { verb, actor, fence, state } = entry;
  return {
    tsMs: nowMs,
    level: LEVEL[state] ?? 'info',
    source: 'agent',
    unit: 'commands',
    job: entry.opId,
    ...(entry.instance === null ? {} : { instance: entry.instance }),
    message: `${verb}${name === undefined ? '' : ` ${name}`}: ${sentence(entry)}`,
    fields: {
      verb,
      actor,
      fence,
      state,
      ...(entry.beforeState === null ? {} : { before: entry.beforeState }),
      ...(entry.afterState === null ? {} : { after: entry.afterState }),
      ...(entry.pid === null || state !== 'running' ? {} : { pid: entry.pid }),
      ...(durationMs(entry) === null ? {} : { durationMs: durationMs(entry) }),
      ...(entry.error === null ? {} : { code: entry.error.code }),
      ...(entry.stderr === null || entry.stderr === '' ? {} : { stderr: entry.stderr.slice(0, 2_048) }),
    },
  };
}

function durationMs(entry: Entry): number | null {
  return entry.endedMs === null ? null : Math.max(0, entry.endedMs - entry.createdMs);
}

function sentence(entry: Entry): string {
  const note = entry.result?.['note'];
  switch (entry.state) {
    case 'planned':
      return `planned, asked by ${entry.actor}`;
    case 'running':
      return 'running';
    case 'done':
      return typeof note === 'string' ? `done. ${note}` : `done in ${durationMs(entry) ?? 0} ms`;
    case 'cancelled':
      return `cancelled. ${entry.error?.message ?? ''}`.trim();
    case 'unknown':
      return `the outcome is unknown. ${entry.error?.message ?? ''}`.trim();
    case 'failed':
      return `failed. ${entry.error?.message ?? ''}`.trim();
  }
}

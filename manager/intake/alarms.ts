import type { IntakeLog } from './ports.ts';

const LIMIT_REMEMBERED = 10_000;

/**
 * Alarm lines with a limit: the same alarm of the same agent is written at most once in `everyMs`, and the next one says
 * how many were left out. A broken or hostile agent cannot fill the store with our own words about it.
 */
export function createAlarms(log: IntakeLog, everyMs: number, nowMs: () => number) {
  const last = new Map<string, { atMs: number; leftOut: number }>();
  return (message: string, fields: Record<string, unknown> & { agent: string }): void => {
    const key = `${fields.agent} ${message}`;
    const seen = last.get(key);
    const now = nowMs();
    if (seen !== undefined && now - seen.atMs < everyMs) {
      seen.leftOut += 1;
      return;
    }
    if (last.size >= LIMIT_REMEMBERED) last.clear();
    last.set(key, { atMs: now, leftOut: 0 });
    const leftOut = seen === undefined || seen.leftOut === 0 ? {} : { sameSince: seen.leftOut };
    log.error(message, { ...fields, ...leftOut, source: 'audit' });
  };
}

export type Alarm = ReturnType<typeof createAlarms>;

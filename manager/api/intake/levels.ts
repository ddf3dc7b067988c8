import type { Level } from '../../../common/model/line.ts';

/** Names of severities elsewhere: syslog, journald, other loggers, OpenTelemetry, Loki. */
const LEVEL_OF: Record<string, Level> = {
  ...{ emerg: 'error', emergency: 'error', panic: 'error', alert: 'error', crit: 'error', critical: 'error' },
  ...{ fatal: 'error', severe: 'error', err: 'error', error: 'error' },
  ...{ warning: 'warn', warn: 'warn', notice: 'info', info: 'info', informational: 'info', information: 'info' },
  ...{ http: 'debug', verbose: 'debug', debug: 'debug', trace: 'debug', silly: 'debug', fine: 'debug' },
};

/** The level that a name stands for, in whatever case; null when it is not known. */
export function levelNamed(name: unknown): Level | null {
  const key = typeof name === 'string' ? name.toLowerCase() : '';
  return Object.hasOwn(LEVEL_OF, key) ? LEVEL_OF[key]! : null;
}

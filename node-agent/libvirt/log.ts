import type { Logger } from 'winston';

/** What this room needs of the logger. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

import winston from 'winston';
import type { Level } from '../common/model/line.ts';
import { ConsoleTransport } from './console-transport.ts';
import type { LineSink } from './line-sink.ts';
import { SpoolTransport } from './spool-transport.ts';

export type { LineSink } from './line-sink.ts';
export { errorFields } from './plain-fields.ts';

/** A winston logger. Every call: constant text, then fields. */
export type Logger = winston.Logger;

export interface LoggerConfig {
  program: 'manager' | 'agent' | 'crawler';
  /** Least severe level that is logged; `debug` includes winston's http, verbose and silly. */
  level: Level;
  /** True to write human text to stderr. */
  stderr: boolean;
  /** Where every line goes as well, such as the durable spool. */
  sinks: LineSink[];
  /** Wall clock, milliseconds. */
  now?: () => number;
}

/**
 * The logger of one program: `log.info('constant text', { instance, job, session, unit, …fields })`. The four named keys
 * move to the line, the rest become fields. It never throws, and one call is one line.
 */
export function createLogger({ program, level, stderr, sinks, now = Date.now }: LoggerConfig): Logger {
  const transports: winston.transport[] = sinks.map((sink) => new SpoolTransport({ sink, source: program, now }));
  if (stderr) transports.push(new ConsoleTransport({ source: program, out: process.stderr, now }));
  const logger = winston.createLogger({
    level: level === 'debug' ? 'silly' : level,
    levels: winston.config.npm.levels,
    // The transports read the call as it was made.
    format: winston.format((info) => info)(),
    transports,
    exitOnError: false,
    silent: transports.length === 0,
  });
  // Without a listener, a transport that fails would end the program.
  logger.on('error', () => {});
  return logger;
}

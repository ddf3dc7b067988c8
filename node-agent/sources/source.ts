import type { Logger } from 'winston';
import type { NewLine } from '../../common/model/line.ts';
import type { Places } from '../../logging/spool/places.ts';

/**
 * A source turns something that happens on this host into lines. To add one:
 * 1. write `<source>.ts` with `createX(config, { emit, … })` that returns `{ start, stop }`, and its test beside it;
 * 2. add it to the list in `sources.ts`, behind `createRateLimit` so that it cannot drown the others;
 * 3. name it in `SOURCES` of common/model/line.ts when none of those fits, and explain its keys in the agent's config.
 */
export interface SourceDeps {
  /** Hands a line to the spool. `place` is where the source stands behind it: it becomes durable with the line. */
  emit(line: NewLine, place?: { name: string; value: string }): void;
  /** Where sources stand, by the names they gave; durable in the spool. */
  places: Places;
  log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  now(): number;
}

/** Something that runs until it is stopped. Neither call rejects; `stop` has saved its place when it resolves. */
export interface Source {
  start(): Promise<void>;
  stop(): Promise<void>;
}

import type { Logger } from 'winston';
import type { NewLine } from '../../common/model/line.ts';
import type { Places } from '../../logging/spool/places.ts';

/**
 * A source turns something that happens on this host into lines. To add one:
 * 1. make a folder with `createX(config, { emit, places, … })` that returns `{ start, stop }`, hands each line on with its place,
 *    is bounded in all it holds and tells what it leaves out; what is a file is a list of `StreamSpec` for `createFollower`;
 * 2. add it to the list in `sources.ts`, and a word to `SOURCES` of common/model/words.ts when none of those fits;
 * 3. explain its keys in `config/sources.ts` and what it promises in docs-site/userguide/sources.
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

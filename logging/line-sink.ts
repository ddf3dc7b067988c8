import type { NewLine } from '../common/model/line.ts';

/** Where lines go: the durable spool, or the manager's own intake. `add` never throws and never waits for long. */
export interface LineSink {
  add(line: NewLine): void;
}

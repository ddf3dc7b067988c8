import type { NewLine } from '../../../common/model/line.ts';
import type { SourceDeps } from '../source.ts';
import type { GroupRule } from './grouper.ts';
import type { OpenFiles } from './open-files.ts';

/** How one log is followed. The same for all that are files: they differ in what a line of text means. */
export interface StreamSpec {
  /** Name of its place in the spool. */
  name: string;
  path: string;
  lineCapBytes: number;
  /** How much of a file is read that was there before anybody followed it. */
  firstBytes: number;
  /** When logs of this kind were last looked for, wall clock: rotated files that are younger nobody has seen. Null: never. */
  unseenSinceMs?: number | null;
  /** A line without its end is given out after so long; null: it is waited for. */
  partialAfterMs: number | null;
  /** True for the output of a terminal. */
  rewrites: boolean;
  group: GroupRule | null;
  linesPerSecond: number;
  /** When more than this waits to be read, the oldest of it is passed over, and a line says how much. */
  behindBytes: number;
  followLink: boolean;
  /** The line of a text; null for one that is not worth a line. `memo.note` is kept with the place. */
  line(text: string, memo: { note?: string | undefined }): NewLine | null;
  /** What lines about this log itself have in common. */
  about(memo: { note?: string | undefined }): Pick<NewLine, 'source' | 'unit' | 'instance'>;
}

export interface StreamDeps extends Pick<SourceDeps, 'emit' | 'places' | 'now'> {
  files: OpenFiles;
  /** Monotonic milliseconds. */
  clock(): number;
  graceMs?: number;
}

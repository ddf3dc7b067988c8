import type { LineColumns } from '../../common/wire/frames.ts';
import type { CommittedBatch, LineBatch, LineFilter, LineStore } from '../store/ports.ts';

export interface AlertLog {
  debug(message: string, fields?: Record<string, unknown>): unknown;
  info(message: string, fields?: Record<string, unknown>): unknown;
  warn(message: string, fields?: Record<string, unknown>): unknown;
  error(message: string, fields?: Record<string, unknown>): unknown;
}

/** What rules read of the store. */
export type AlertLines = Pick<LineStore, 'since' | 'newestOrdinal' | 'search' | 'shared'>;

/** How a committed batch is read: as the store does it. */
export interface ColumnReader {
  columnsOf(batch: LineBatch): LineColumns;
  /** The time by which a line is ordered. */
  sortMsOf(tsMs: number, batch: LineBatch): number;
}

/** Who is there to be silent. */
export interface KnownGroups {
  /** Names of the enrolled hosts. */
  hosts(): { id: string; name: string }[];
  /** Instances that run. */
  instances(): { id: string; name: string; host: string }[];
}

export type { CommittedBatch, LineFilter };

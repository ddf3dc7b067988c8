import { copyFile, rename, truncate } from 'node:fs/promises';
import { isWebvirtError } from '../../../common/errors.ts';

/** What was put away, for the person who looks after the machine. */
export interface SetAside {
  /** The name that it has now. */
  file: string;
  reason: string;
  /** True: all lines that were not sealed are in it. False: the last ones before it was closed. */
  wholeFile: boolean;
}

/** Damage that can be met one after the other in one file. */
const LIMIT_TRIES = 3;
const DAMAGED =
  /corrupt|failure while replaying wal|could not read enough bytes|not a valid duckdb database|serialization error|failed to deserialize/i;
/** What says of a whole file that it cannot be used here, or not now. */
const ELSE = /set lock|permission|no space|out of memory|version number/i;
const LOG_PLACE = /corrupt wal file: entry at byte position (\d+)/i;

/**
 * Opens a database file. When its bytes are not as they were written, it is put aside under another name and opened anew:
 * of a log what stands before the damage is kept, of the file itself nothing. Every other error is passed on.
 */
export async function openOrSetAside<T>(
  path: string,
  open: () => Promise<T>,
  onSetAside: (what: SetAside) => void,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await open();
    } catch (error) {
      const reason = String(error).split('\n')[0]!;
      const damaged = DAMAGED.test(reason) && !ELSE.test(reason.replaceAll(path, ''));
      if (isWebvirtError(error) || !damaged || tries === LIMIT_TRIES) throw error;
      const ending = `.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
      const log = `${path}.wal`;
      const place = LOG_PLACE.exec(reason)?.[1];
      if (place !== undefined && tries < LIMIT_TRIES - 1) {
        await copyFile(log, log + ending);
        await truncate(log, Number(place));
        onSetAside({ file: log + ending, reason, wholeFile: false });
      } else {
        await rename(path, path + ending);
        await rename(log, log + ending).catch(() => undefined);
        onSetAside({ file: path + ending, reason, wholeFile: true });
      }
    }
  }
}

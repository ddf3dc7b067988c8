import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { createReserve } from '../../logging/spool/reserve.ts';

/** An eighth of it is kept: enough for what the databases write when they are opened. */
const RESERVE_CAP_BYTES = 64 * 1024 ** 2;
/** With less than this a start does not succeed. */
const LEAST_FREE_BYTES = 4 * 1024 ** 2;
const LOOK_EVERY_MS = 60_000;

/** Room on the disk that is kept for a start: without a free byte the databases cannot even be opened to read. */
export interface StartRoom {
  /** Gives it up when the disk is full. True when that was done, now or before; false also when there was none. */
  giveUp(): boolean;
  /** Takes it when there is place, now and from time to time. */
  start(): void;
  stop(): void;
}

export function createStartRoom(dataDir: string): StartRoom {
  const reserve = createReserve(join(dataDir, 'reserve'), RESERVE_CAP_BYTES, () => performance.now());
  let timer: NodeJS.Timeout | undefined;
  let isGivenUp = false;
  return {
    giveUp() {
      if (isAsGoodAsFull(dataDir) && reserve.release()) isGivenUp = true;
      return isGivenUp;
    },
    start() {
      reserve.keep();
      timer = setInterval(() => reserve.keep(), LOOK_EVERY_MS).unref();
    },
    stop: () => clearInterval(timer),
  };
}

/** Bytes that this user may still write there; infinite where that cannot be asked. */
export function freeBytes(dir: string): number {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** True when so little is left that it is the likely reason of a write that failed, whatever the failure calls itself. */
export const isAsGoodAsFull = (dir: string): boolean => freeBytes(dir) < LEAST_FREE_BYTES;

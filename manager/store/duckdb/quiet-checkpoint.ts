import { sizeOf } from './durable-file.ts';

const QUIET_MS = 400;
/** A log smaller than this is read at a start in no time: working it into the file would gain nothing. */
const WORTH_BYTES = 4 * 1024 ** 2;

/**
 * Works the write-ahead log into the file while nobody writes. A checkpoint holds up every commit behind it for a tenth
 * of a second and more: done in a pause it delays no line, and the one that the size of the log forces comes rarely.
 */
export function createQuietCheckpoint(logPath: string, checkpoint: () => Promise<void>) {
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    if ((await sizeOf(logPath)) < WORTH_BYTES) return;
    // A disk that refuses is told by the next commit; here nothing was promised to anybody.
    await checkpoint().catch(() => undefined);
  }

  return {
    /** Something was written: the pause begins anew. */
    written(): void {
      if (timer === undefined) {
        timer = setTimeout(() => {
          timer = undefined;
          void look();
        }, QUIET_MS);
        timer.unref();
      } else timer.refresh();
    },
    stop(): void {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

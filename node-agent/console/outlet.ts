/** What a console may send ahead of what the manager has taken, and keep beyond that. Bytes and milliseconds. */
export const OUTLET_DEFAULTS = { windowBytes: 256 * 1024, keepBytes: 64 * 1024, gapMs: 16 };
export type OutletConfig = typeof OUTLET_DEFAULTS;

/**
 * The way of a console's bytes to the manager. The first bytes after a pause leave at once, so that an echo is quick; the
 * rest is gathered. Never more than a window is under way, and of what comes meanwhile the newest is kept: a guest that
 * floods costs neither memory nor the link.
 */
export function createOutlet(config: OutletConfig, send: (bytes: Buffer, skipped: number) => void) {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let skipped = 0;
  let sentBytes = 0;
  let takenBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let lastMs = Number.NEGATIVE_INFINITY;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waitingBytes === 0 || sentBytes - takenBytes >= config.windowBytes) return;
    const bytes = Buffer.concat(waiting);
    const lost = skipped;
    waiting = [];
    waitingBytes = 0;
    skipped = 0;
    lastMs = performance.now();
    sentBytes += bytes.length;
    send(bytes, lost);
  }

  function later(): void {
    const waitMs = lastMs + config.gapMs - performance.now();
    if (waitMs <= 0) flush();
    else timer ??= setTimeout(flush, waitMs);
  }

  return {
    push(bytes: Buffer): void {
      waiting.push(bytes);
      waitingBytes += bytes.length;
      while (waitingBytes > config.keepBytes) {
        const over = waitingBytes - config.keepBytes;
        const oldest = waiting[0]!;
        const cut = Math.min(over, oldest.length);
        if (cut === oldest.length) waiting.shift();
        else waiting[0] = oldest.subarray(cut);
        waitingBytes -= cut;
        skipped += cut;
      }
      later();
    },
    /** The manager has taken so many bytes since the beginning. */
    taken(bytes: number): void {
      takenBytes = Math.max(takenBytes, Math.min(bytes, sentBytes));
      if (waitingBytes > 0) later();
    },
    /** Sends what is left, window or not: nothing follows. */
    close(): void {
      takenBytes = sentBytes;
      flush();
    },
  };
}
export type Outlet = ReturnType<typeof createOutlet>;

import type { ViewerWay } from './ports.ts';

/** Largest message to a viewer, bytes: a slow one gets its backlog in pieces. */
const PIECE_BYTES = 64 * 1024;

/** One who looks at a console, in step or behind. */
export interface Viewer {
  /** Sends at once where there is room, else it waits; of too much the oldest goes, and is counted. */
  push(bytes: Buffer, base64: string, skipped: number): void;
  /** There is room again. */
  pump(): void;
  /** What waits for it, bytes. */
  readonly waitingBytes: number;
  readonly way: ViewerWay;
}

export function createViewer(queueBytes: number, way: ViewerWay): Viewer {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let skipped = 0;

  function pump(): void {
    while (waitingBytes > 0 && way.hasRoom()) {
      const all = Buffer.concat(waiting);
      const piece = all.subarray(0, PIECE_BYTES);
      const rest = all.subarray(PIECE_BYTES);
      waiting = rest.length === 0 ? [] : [rest];
      waitingBytes = rest.length;
      const lost = skipped;
      skipped = 0;
      way.data(piece.toString('base64'), lost, piece.length);
    }
  }

  return {
    way,
    pump,
    get waitingBytes() {
      return waitingBytes;
    },
    push(bytes, base64, lost) {
      skipped += lost;
      if (waitingBytes === 0 && way.hasRoom()) {
        const told = skipped;
        skipped = 0;
        way.data(base64, told, bytes.length);
        return;
      }
      waiting.push(bytes);
      waitingBytes += bytes.length;
      while (waitingBytes > queueBytes) {
        const oldest = waiting[0]!;
        const cut = Math.min(waitingBytes - queueBytes, oldest.length);
        if (cut === oldest.length) waiting.shift();
        else waiting[0] = oldest.subarray(cut);
        waitingBytes -= cut;
        skipped += cut;
      }
      pump();
    },
  };
}

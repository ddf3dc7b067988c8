import type { EpochCursor, EpochRange, FrameHeader } from '../../common/wire/link.ts';

export interface WaitingLines {
  epochs(): EpochRange[];
  read(at: { epoch: string; from: number }, maxBytes: number): { header: FrameHeader; body: Uint8Array }[];
  /** `fork`: the store has numbers of this epoch that this spool did not write. */
  acked(epoch: string, next: number, hash: string): 'ok' | 'unknown' | 'fork';
  newEpoch(reason: string, carry?: string): void;
  /** Returns how to stop listening. */
  onSpooled(callback: () => void): () => void;
}

export interface LineShipper {
  /** Starts from what the manager has. `newEpoch`: the manager says that the current numbers went back. */
  resume(cursors: EpochCursor[], newEpoch: string | null): void;
  /** The connection is gone; nothing is lost, `resume` starts again. */
  pause(): void;
  stop(): void;
}

const READ_BYTES = 1_048_576;
const RETRY_MS = 1_000;

/**
 * Sends the spooled lines, oldest epoch first, one frame after another, and frees them when the manager says that they
 * are stored. A frame that is refused is sent again after a pause.
 */
export function createLineShipper(
  spool: WaitingLines,
  send: (frame: { header: FrameHeader; body: Uint8Array }) => Promise<{ next: number; newEpoch?: string }>,
): LineShipper {
  let round = 0;
  let active = false;
  let pumping = false;
  let retry: NodeJS.Timeout | undefined;
  const unlisten = spool.onSpooled(() => void pump());

  async function pump(): Promise<void> {
    if (!active || pumping) return;
    pumping = true;
    const mine = round;
    try {
      for (let frame = nextFrame(); frame !== undefined && active && mine === round; frame = nextFrame()) {
        const { next, newEpoch } = await send(frame);
        if (mine !== round) break;
        const { epoch, first, count, hash } = frame.header;
        if (newEpoch !== undefined) {
          spool.newEpoch(newEpoch, epoch);
          continue;
        }
        // Only a whole frame is ever stored; anything less is sent again.
        if (next < first + count) throw new Error('the manager did not take the whole frame');
        spool.acked(epoch, first + count, hash);
      }
    } catch {
      clearTimeout(retry);
      retry = setTimeout(() => void pump(), RETRY_MS * (0.5 + Math.random()));
    } finally {
      pumping = false;
      if (mine !== round) void pump();
    }
  }

  function nextFrame() {
    for (const { epoch, first, next } of spool.epochs()) {
      if (next <= first) continue;
      const frame = spool.read({ epoch, from: first }, READ_BYTES)[0];
      if (frame !== undefined) return frame;
    }
    return undefined;
  }

  return {
    resume(cursors, newEpoch) {
      round += 1;
      active = true;
      let forked: string | undefined;
      for (const { epoch, next, hash } of cursors) if (spool.acked(epoch, next, hash) === 'fork') forked = epoch;
      if (newEpoch !== null || forked !== undefined)
        spool.newEpoch(newEpoch ?? 'the spool is older than the store', forked ?? spool.epochs().at(-1)?.epoch);
      void pump();
    },
    pause() {
      round += 1;
      active = false;
    },
    stop() {
      active = false;
      round += 1;
      clearTimeout(retry);
      unlisten();
    },
  };
}

import { randomBytes } from 'node:crypto';
import type { Gap } from '../../../common/model/line.ts';
import type { LineColumns } from '../../../common/wire/frames.ts';
import { EMPTY_HASH } from '../../../common/wire/link.ts';
import { runningHash } from '../chain.ts';
import type { IncomingFrame, IntakeAnswer, Sender } from '../ports.ts';

const SENDER: Sender = { agent: 'external', hostId: '', hostName: '' };

export interface FrameTaker {
  acceptFrames(sender: Sender, frames: readonly IncomingFrame[]): Promise<IntakeAnswer[]>;
}

/** Lines from outside take the road of everybody: numbered, hashed, stored in one transaction with their cursor. */
export interface Chain {
  /** The next frame. It has its numbers once `send` resolved with true, and not before. */
  frame(columns: LineColumns): IncomingFrame;
  /** The next frame, standing for so many lines that were dropped. */
  gapFrame(count: number, gap: Omit<Gap, 'from' | 'to'>): IncomingFrame;
  /** False: it may be stored or not. The same frame may be sent again, and is then stored once. */
  send(frame: IncomingFrame): Promise<boolean>;
  /** Never uses these numbers again. */
  renew(): void;
}

export function createChain(intake: FrameTaker): Chain {
  let at = newEpoch();
  return {
    frame(columns) {
      const body = Buffer.from(JSON.stringify(columns));
      const { epoch, next: first, hash: prev } = at;
      const header = { epoch, first, count: columns.n, prev, hash: runningHash(prev, body), bytes: body.byteLength };
      return { header, body };
    },
    gapFrame(count, about) {
      const { epoch, next: first, hash: prev } = at;
      const gap = { from: first, to: first + count - 1, ...about };
      const hash = runningHash(prev, Buffer.from(JSON.stringify(gap)));
      return { header: { epoch, first, count, prev, hash, bytes: 0, gap }, body: new Uint8Array(0) };
    },
    async send(frame) {
      const { epoch, first, count, hash } = frame.header;
      const answers = await intake.acceptFrames(SENDER, [frame]);
      if (!answers.some((answer) => answer.t === 'ack' && answer.epoch === epoch && answer.next === first + count))
        return false;
      at = { epoch, next: first + count, hash };
      return true;
    },
    renew() {
      at = newEpoch();
    },
  };
}

function newEpoch() {
  return { epoch: randomBytes(8).toString('hex'), next: 0, hash: EMPTY_HASH };
}

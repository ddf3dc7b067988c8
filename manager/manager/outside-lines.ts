import { randomBytes } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import type { NewLine } from '../../common/model/line.ts';
import { ColumnBuilder, type LineColumns } from '../../common/wire/frames.ts';
import { EMPTY_HASH } from '../../common/wire/link.ts';
import { runningHash } from '../intake/chain.ts';
import type { IncomingFrame, IntakeAnswer, Sender } from '../intake/ports.ts';

const SENDER: Sender = { agent: 'external', hostId: '', hostName: '' };

export interface OutsideLines {
  add(line: NewLine): void;
  /** Resolves when the lines added so far are stored; rejects with `store-unavailable` when they are not. */
  flush(): Promise<void>;
}

/**
 * Lines that programs outside post take the road of everybody: numbered, hashed, stored in one transaction with their
 * cursor. Nothing waits here: what cannot be stored now is given back to its sender as an error.
 */
export function createOutsideLines(intake: {
  acceptFrames(sender: Sender, frames: readonly IncomingFrame[]): Promise<IntakeAnswer[]>;
}): OutsideLines {
  const builder = new ColumnBuilder();
  let last: Promise<void> = Promise.resolve();
  let at = newEpoch();

  async function send(columns: LineColumns): Promise<void> {
    const body = Buffer.from(JSON.stringify(columns));
    const { epoch, next: first, hash: prev } = at;
    const hash = runningHash(prev, body);
    const header = { epoch, first, count: columns.n, prev, hash, bytes: body.byteLength };
    const answers = await intake.acceptFrames(SENDER, [{ header, body }]);
    if (answers.some((answer) => answer.t === 'ack' && answer.next === first + columns.n)) {
      at = { epoch, next: first + columns.n, hash };
      return;
    }
    // Whether it was stored after all is not known: these numbers are never used again.
    at = newEpoch();
    throw new WebvirtError('store-unavailable', 'The lines could not be stored now; send them again later.');
  }

  return {
    add: (line) => builder.add(line),
    flush() {
      if (builder.count === 0) return last;
      const columns = builder.take();
      const mine = last.then(() => send(columns));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

function newEpoch() {
  return { epoch: randomBytes(8).toString('hex'), next: 0, hash: EMPTY_HASH };
}

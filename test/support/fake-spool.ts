import { createHash, randomBytes } from 'node:crypto';
import type { Gap, NewLine } from '../../common/model/line.ts';
import { ColumnBuilder, type LineColumns } from '../../common/wire/frames.ts';
import { EMPTY_HASH, type EpochRange, type FrameHeader } from '../../common/wire/link.ts';

export interface FakeFrame {
  header: FrameHeader;
  body: Buffer;
}

/** The spool of a fake agent: frames in memory, freed by acks. Nothing here is safe from a kill, and need not be. */
export class FakeSpool {
  epoch = randomBytes(8).toString('hex');
  next = 0;
  hash = EMPTY_HASH;
  frames: FakeFrame[] = [];

  /** Adds lines as one frame. */
  add(lines: NewLine[]): FakeFrame {
    const builder = new ColumnBuilder();
    for (const line of lines) builder.add(line);
    return this.addColumns(builder.take());
  }

  addColumns(columns: LineColumns): FakeFrame {
    return this.addBody(Buffer.from(JSON.stringify(columns)), columns.n);
  }

  /** Adds any bytes as the body of a frame. */
  addBody(body: Buffer, count: number): FakeFrame {
    const prev = this.hash;
    const hash = createHash('sha256').update(prev).update(body).digest('hex').slice(0, 32);
    return this.#push({
      header: { epoch: this.epoch, first: this.next, count, prev, hash, bytes: body.byteLength },
      body,
    });
  }

  addGap(count: number, reason: string): FakeFrame {
    const gap: Gap = { from: this.next, to: this.next + count - 1, reason, bytes: count * 100 };
    const hash = randomBytes(16).toString('hex');
    const header = { epoch: this.epoch, first: this.next, count, prev: this.hash, hash, bytes: 0, gap };
    return this.#push({ header, body: Buffer.alloc(0) });
  }

  range(): EpochRange {
    return { epoch: this.epoch, first: this.frames[0]?.header.first ?? this.next, next: this.next };
  }

  acked(epoch: string, next: number): void {
    if (epoch !== this.epoch) return;
    let count = 0;
    while (count < this.frames.length && end(this.frames[count]!) <= next) count += 1;
    this.frames.splice(0, count);
  }

  /** A new epoch; what waits is numbered anew in it. */
  newEpoch(): void {
    const waiting = this.frames;
    this.epoch = randomBytes(8).toString('hex');
    this.next = 0;
    this.hash = EMPTY_HASH;
    this.frames = [];
    for (const { header, body } of waiting) {
      if (header.gap === undefined) this.addBody(body, header.count);
      else this.addGap(header.count, header.gap.reason);
    }
  }

  #push(frame: FakeFrame): FakeFrame {
    this.frames.push(frame);
    this.next += frame.header.count;
    this.hash = frame.header.hash;
    return frame;
  }
}

export function end(frame: FakeFrame): number {
  return frame.header.first + frame.header.count;
}

/** Frames as one binary message of the link. */
export function linesMessage(frames: FakeFrame[]): Buffer {
  const header = JSON.stringify({ t: 'lines', frames: frames.map((frame) => frame.header) });
  return Buffer.concat([Buffer.from(`${header}\n`), ...frames.map((frame) => frame.body)]);
}

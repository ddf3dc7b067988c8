import { isDeepStrictEqual } from 'node:util';
import type { NewLine } from '../../common/model/line.ts';
import { ColumnBuilder } from '../../common/wire/frames.ts';
import type { EpochCursor } from '../../common/wire/link.ts';
import { behind, bodyFrame, frameOf, gapFrame, mergeGaps, NO_BODY, runningHash } from './frame.ts';
import type { TimedFrame } from './store.ts';

/** A frame is closed at about this many characters, so that one message of the link holds several. */
const FRAME_CHARS = 192 * 1024;
const MAX_MESSAGE_CHARS = 1024 * 1024;
const MAX_FIELDS_CHARS = 256 * 1024;

/** Lines that are taken and numbered but not committed yet. `head` is the position behind the last committed frame. */
export function createPending(maxLines: number, head: EpochCursor) {
  const builder = new ColumnBuilder();
  let frames: TimedFrame[] = [];
  let bytes = 0;
  let at = head;

  function push(frame: TimedFrame): void {
    frames.push(frame);
    bytes += frame.body.byteLength;
    at = behind(frame);
  }

  /** Makes a frame of what was added since the last one. */
  function close(): void {
    if (builder.count === 0) return;
    const columns = builder.take();
    const ts0 = Math.trunc(columns.tsMs[0] ?? 0);
    push({ ...frameOf(at, columns), ts0, ts1: Math.trunc(columns.tsMs.at(-1) ?? ts0) });
  }

  return {
    add(line: NewLine): void {
      const whole = bounded(line);
      try {
        builder.add(whole);
      } catch (error) {
        builder.add({ ...whole, fields: { unreadable: String(error) } });
      }
      if (builder.count >= maxLines || builder.size >= FRAME_CHARS) close();
    },
    close,
    frames: () => frames,
    size: () => bytes + builder.size,
    isEmpty: () => frames.length === 0 && builder.count === 0,
    /** After the commit of all frames. */
    committed(): TimedFrame[] {
      const done = frames;
      frames = [];
      bytes = 0;
      return done;
    },
    /**
     * Numbers everything anew behind another position. A commit that failed may be on the disk all the same: then the
     * position is behind one of these frames, and those up to it are returned; they are done.
     */
    rebase(head: EpochCursor): TimedFrame[] {
      const last = frames.findIndex((frame) => isDeepStrictEqual(behind(frame), head));
      const done = frames.splice(0, last + 1);
      const old = frames;
      frames = [];
      bytes = 0;
      at = head;
      for (const { header, body, ts0, ts1 } of old) {
        const { gap, count } = header;
        const moved = gap && { ...gap, from: at.next, to: at.next + count - 1 };
        const frame = moved
          ? gapFrame(at.epoch, moved, at.hash, runningHash(at.hash, NO_BODY))
          : bodyFrame(at, count, body);
        push({ ...frame, ts0, ts1 });
      }
      return done;
    },
    /** Gives up the older half: one gap stands for it, with the same numbers. */
    giveUpOldest(reason: string): void {
      const lost = frames.splice(0, Math.ceil(frames.length / 2));
      const first = lost[0]?.header;
      const last = lost.at(-1)?.header;
      if (first === undefined || last === undefined) return;
      const gap = mergeGaps(
        lost.map(({ header, ts0, ts1 }) => ({
          from: header.first,
          to: header.first + header.count - 1,
          reason: header.gap?.reason ?? reason,
          bytes: header.gap?.bytes ?? header.bytes,
          ...(ts0 === null ? {} : { firstTsMs: ts0 }),
          ...(ts1 === null ? {} : { lastTsMs: ts1 }),
        })),
      );
      const ts = { ts0: gap.firstTsMs ?? null, ts1: gap.lastTsMs ?? null };
      frames.unshift({ ...gapFrame(first.epoch, gap, first.prev, last.hash), ...ts });
      bytes = frames.reduce((sum, frame) => sum + frame.body.byteLength, 0);
    },
  };
}

/** One line never fills a frame of the link: what is too long is cut with a mark. */
function bounded(line: NewLine): NewLine {
  const { message } = line;
  let whole = line;
  if (message.length > MAX_MESSAGE_CHARS) {
    const cut = `${message.slice(0, MAX_MESSAGE_CHARS)}… [cut: ${message.length} characters]`;
    whole = { ...whole, message: cut };
  }
  // Only a large object is measured twice.
  if (line.fields !== undefined && isLarge(line.fields)) whole = { ...whole, fields: { cut: 'fields too large' } };
  return whole;
}

function isLarge(fields: Record<string, unknown>): boolean {
  for (const value of Object.values(fields)) {
    if (typeof value === 'string' ? value.length > 65_536 : typeof value === 'object' && value !== null) {
      try {
        return JSON.stringify(fields).length > MAX_FIELDS_CHARS;
      } catch {
        return false;
      }
    }
  }
  return false;
}

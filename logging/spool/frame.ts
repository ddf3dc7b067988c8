import { createHash } from 'node:crypto';
import type { Gap } from '../../common/model/line.ts';
import type { LineColumns } from '../../common/wire/frames.ts';
import type { EpochCursor } from '../../common/wire/link.ts';
import type { Frame } from './types.ts';

export const NO_BODY = new Uint8Array(0);

/** Running hash behind a body: SHA-256 over the hash before it (its 32 hex digits as text) and the body. */
export function runningHash(prev: string, body: Uint8Array): string {
  return createHash('sha256').update(prev).update(body).digest('hex').slice(0, 32);
}

/** Frame of columns at a position of the chain. */
export function frameOf(at: EpochCursor, columns: LineColumns): Frame {
  return bodyFrame(at, columns.n, Buffer.from(JSON.stringify(columns)));
}

export function bodyFrame({ epoch, next, hash: prev }: EpochCursor, count: number, body: Uint8Array): Frame {
  const hash = runningHash(prev, body);
  return { header: { epoch, first: next, count, prev, hash, bytes: body.byteLength }, body };
}

/** Frame that stands for lost numbers. A gap has no body to hash: `hash` is the running hash behind what was lost. */
export function gapFrame(epoch: string, gap: Gap, prev: string, hash: string): Frame {
  return {
    header: { epoch, first: gap.from, count: gap.to - gap.from + 1, prev, hash, bytes: 0, gap },
    body: NO_BODY,
  };
}

/** The position behind a frame. */
export function behind({ header }: Frame): EpochCursor {
  return { epoch: header.epoch, next: header.first + header.count, hash: header.hash };
}

/** The part of a gap from `from` on. Bytes are shared out by number: which line had how many is not known any more. */
export function cutGap(gap: Gap, from: number): Gap {
  const all = gap.to - gap.from + 1;
  return { ...gap, from, bytes: Math.round((gap.bytes * (gap.to - from + 1)) / all) };
}

/** One gap for a run of neighbours: exact numbers and bytes, all reasons. */
export function mergeGaps(parts: Gap[]): Gap {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  const reasons = new Set(parts.flatMap((part) => part.reason.split(', ')));
  const firstTsMs = parts.find((part) => part.firstTsMs !== undefined)?.firstTsMs;
  const lastTsMs = parts.findLast((part) => part.lastTsMs !== undefined)?.lastTsMs;
  return {
    from: first.from,
    to: last.to,
    reason: [...reasons].join(', '),
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    ...(firstTsMs === undefined ? {} : { firstTsMs }),
    ...(lastTsMs === undefined ? {} : { lastTsMs }),
  };
}

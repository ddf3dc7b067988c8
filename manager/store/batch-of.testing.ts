import type { NewLine } from '../../common/model/line.ts';
import { ColumnBuilder } from '../../common/wire/frames.ts';
import type { LineBatch } from './ports.ts';

export const EPOCH = 'e'.repeat(16);
export const OTHER_EPOCH = 'f'.repeat(16);
export const NOW = 1_700_000_000_000;
export const hashOf = (next: number) => next.toString(16).padStart(32, '0');

/** A batch of one agent; lines are filled up with what they lack. */
export function batchOf(first: number, lines: Partial<NewLine>[], over: Partial<LineBatch> = {}): LineBatch {
  const builder = new ColumnBuilder();
  for (const line of lines) builder.add({ tsMs: NOW, level: 'info', source: 'agent', message: 'x', ...line });
  return {
    ...{ agent: 'a1', host: 'a1', hostName: 'One', epoch: EPOCH, first, count: lines.length },
    ...{ hash: hashOf(first + lines.length), receivedMs: NOW + 10, columns: builder.take(), gap: null },
    ...over,
  };
}

export const numbered = (from: number, count: number, stepMs = 0): Partial<NewLine>[] =>
  Array.from({ length: count }, (_, i) => ({ message: `m${from + i}`, tsMs: NOW + (from + i) * stepMs }));

export function gapBatch(from: number, to: number, over: Partial<LineBatch> = {}): LineBatch {
  const gap = { from, to, reason: 'spool full', bytes: 800, lastTsMs: NOW - 5 };
  return batchOf(from, [], { count: to - from + 1, columns: null, gap, hash: hashOf(to + 1), ...over });
}

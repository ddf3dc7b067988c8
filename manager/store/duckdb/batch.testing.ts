import type { NewLine } from '../../../common/model/line.ts';
import { ColumnBuilder } from '../../../common/wire/frames.ts';
import type { LineBatch } from '../ports.ts';

export const EPOCH = 'e'.repeat(16);
export const NOW = 1_700_000_000_000;

/** A batch of one agent; lines are filled up with what they lack. */
export function batch(first: number, lines: Partial<NewLine>[], over: Partial<LineBatch> = {}): LineBatch {
  const builder = new ColumnBuilder();
  for (const line of lines) builder.add({ tsMs: NOW, level: 'info', source: 'agent', message: 'x', ...line });
  const origin = { agent: 'a1', host: 'a1', hostName: 'one', epoch: EPOCH };
  const hash = (first + lines.length).toString(16).padStart(32, '0');
  return {
    ...origin,
    first,
    count: lines.length,
    hash,
    receivedMs: NOW + 10,
    columns: builder.take(),
    gap: null,
    ...over,
  };
}

export const numbered = (from: number, count: number, stepMs = 0) =>
  Array.from({ length: count }, (_, i) => ({ message: `m${from + i}`, tsMs: NOW + (from + i) * stepMs }));

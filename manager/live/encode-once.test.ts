import { expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import type { LinesBatch } from '../../common/wire/live.ts';
import { createSharedBatches, encodeOnce } from './encode-once.ts';

const batch = (from: number, to: number, more: Partial<LinesBatch> = {}): LinesBatch => ({
  id: 't',
  lines: Array.from({ length: to - from }, (_, i) => ({ id: `a.e.${from + i}` }) as Line),
  skipped: 0,
  position: String(to),
  ...more,
});

it('gives viewers that lag alike the very same message, and others their own', () => {
  const shared = createSharedBatches();
  const first = shared.same(batch(0, 10));
  expect(shared.same(batch(0, 10))).toBe(first);
  for (const other of [batch(0, 9), batch(1, 10), batch(0, 10, { skipped: 1 }), batch(0, 10, { id: 'u' })])
    expect(shared.same(other)).toBe(other);
  for (let i = 0; i < 20; i++) shared.same(batch(i, i + 30));
  expect(shared.same(batch(0, 10))).not.toBe(first);
});

it('encodes one message once, whoever gets it and when; nothing else is remembered', () => {
  const encoded: unknown[] = [];
  const adapter = {
    _encode(packet: { data: unknown[] }) {
      encoded.push(packet.data);
      return [JSON.stringify(packet.data)];
    },
  };
  encodeOnce({ of: () => ({ adapter }) } as unknown as Parameters<typeof encodeOnce>[0]);
  const one = batch(0, 2);
  const sent = [one, one, batch(0, 2)].map((body) => adapter._encode({ data: ['logs:lines', body] }));
  expect(sent[0]).toBe(sent[1]);
  expect(sent[2]).toEqual(sent[0]);
  expect(encoded).toHaveLength(2);
  adapter._encode({ data: ['change', one] });
  adapter._encode({ data: ['change', one] });
  expect(encoded).toHaveLength(4);
});

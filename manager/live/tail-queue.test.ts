import { describe, expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import { createRateLimit } from './rate-limit.ts';
import { createTailQueue, type Entry } from './tail-queue.ts';

const entry = (ordinal: number, bytes = 10): Entry => ({ line: { id: String(ordinal) } as Line, ordinal, bytes });

describe('the queue of a viewer', () => {
  it('drops the oldest beyond either cap, and tells how many once', () => {
    const queue = createTailQueue({ lines: 5, bytes: 100 });
    for (let i = 1; i <= 8; i++) queue.push(entry(i));
    expect([queue.length, queue.bytes, queue.skipped, queue.firstOrdinal]).toEqual([5, 50, 3, 4]);
    queue.push(entry(9, 80));
    expect([queue.length, queue.bytes, queue.skipped]).toEqual([3, 100, 6]);
    const { entries, skipped } = queue.take(2, 1_000);
    expect([entries.map(({ ordinal }) => ordinal), skipped]).toEqual([[7, 8], 6]);
    expect([queue.length, queue.skipped]).toEqual([1, 0]);
  });

  it('lets one line through that is larger than everything, and cuts a message by size', () => {
    const queue = createTailQueue({ lines: 5, bytes: 100 });
    queue.push(entry(1));
    queue.push(entry(2, 5_000));
    expect([queue.length, queue.skipped]).toEqual([1, 1]);
    expect(queue.take(10, 1).entries).toHaveLength(1);
    for (let i = 3; i < 8; i++) queue.push(entry(i));
    expect(queue.take(10, 25).entries).toHaveLength(3);
  });

  it('keeps its counts through a million lines', () => {
    const queue = createTailQueue({ lines: 1_000, bytes: 1_000_000 });
    let taken = 0;
    for (let i = 0; i < 1_000_000; i++) {
      queue.push(entry(i));
      if (i % 1_700 === 0) {
        const { entries, skipped } = queue.take(300, 1_000_000);
        taken += entries.length + skipped;
      }
    }
    expect(taken + queue.length + queue.skipped).toBe(1_000_000);
    expect(queue.bytes).toBe(queue.length * 10);
    queue.keep(({ ordinal }) => ordinal % 2 === 0);
    expect(queue.bytes).toBe(queue.length * 10);
  });
});

it('a rate limit passes its rate, refuses above it, and cuts who does not stop', () => {
  let nowMs = 0;
  const limit = createRateLimit({ perSecond: 10, cutAfter: 50 }, () => nowMs);
  const count = (times: number) => {
    const verdicts = { pass: 0, refuse: 0, cut: 0 };
    for (let i = 0; i < times; i++) verdicts[limit.take()] += 1;
    return verdicts;
  };
  expect(count(25)).toEqual({ pass: 20, refuse: 5, cut: 0 });
  nowMs += 1_000;
  expect(count(12)).toEqual({ pass: 10, refuse: 2, cut: 0 });
  expect(count(60).cut).toBeGreaterThan(0);
});

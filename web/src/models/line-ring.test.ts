import { describe, expect, it } from 'vitest';
import type { Line } from '../../../common/model/line.ts';
import { LineRing } from './line-ring.ts';

const line = (id: number): Line => ({
  id: `a.e.${id}`,
  tsMs: id,
  receivedMs: id,
  level: 'info',
  host: 'a',
  hostName: 'a',
  agent: 'a',
  source: 'agent',
  message: `m${id}`,
});
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => line(from + i));
const ids = (ring: LineRing) => Array.from({ length: ring.length }, (_, i) => (ring.at(ring.first + i) as Line).tsMs);

describe('LineRing', () => {
  it('keeps the newest and the numbers of what it keeps', () => {
    const ring = new LineRing(5);
    expect(ring.push(lines(0, 4))).toBe(0);
    const kept = ring.at(3);
    expect(ring.push(lines(4, 7))).toBe(2);
    expect(ids(ring)).toEqual([2, 3, 4, 5, 6]);
    expect(ring.at(3)).toBe(kept);
    expect(ring.at(1)).toBeUndefined();
    expect(ring.at(7)).toBeUndefined();
  });

  it('takes a batch that is longer than itself', () => {
    const ring = new LineRing(3);
    expect(ring.push(lines(0, 10))).toBe(7);
    expect(ids(ring)).toEqual([7, 8, 9]);
  });

  it('puts older rows first, the newest of them when there is little room, at negative numbers too', () => {
    const ring = new LineRing(6);
    ring.push(lines(10, 12));
    expect(ring.prepend(lines(0, 9))).toBe(4);
    expect(ids(ring)).toEqual([5, 6, 7, 8, 10, 11]);
    expect(ring.first).toBe(-4);
    expect(ring.prepend(lines(0, 2))).toBe(0);
    ring.push(lines(12, 14));
    expect(ids(ring)).toEqual([7, 8, 10, 11, 12, 13]);
  });

  it('replaces one row by several', () => {
    const ring = new LineRing(10);
    ring.push(lines(0, 2));
    ring.push([{ marker: 'skipped', count: 2, text: '', fromMs: null, toMs: null }]);
    ring.push(lines(4, 6));
    ring.splice(2, lines(2, 4));
    expect(ids(ring)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('agrees with a plain list whatever is done to it', () => {
    const ring = new LineRing(16);
    let plain: number[] = [];
    let next = 0;
    let older = -1;
    let seed = 7;
    const random = (n: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    for (let step = 0; step < 3_000; step += 1) {
      const count = random(20);
      if (random(3) > 0) {
        ring.push(lines(next, next + count));
        for (let i = 0; i < count; i += 1) plain.push(next + i);
        next += count;
        plain = plain.slice(-16);
      } else {
        const taken = ring.prepend(lines(older - count + 1, older + 1));
        for (let i = 0; i < taken; i += 1) plain.unshift(older - i);
        older -= taken;
      }
      expect(ids(ring)).toEqual(plain);
    }
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EMPTY_HASH } from '../../common/wire/link.ts';
import { createSpool, type Frame, type Spool, type SpoolConfig } from './spool.ts';

let folder: string;
let nowMs = 1e12;
const opened: Spool[] = [];

function open(config: Partial<SpoolConfig> = {}): Spool {
  const spool = createSpool({ path: join(folder, 'spool.sqlite'), capBytes: 64e6, now: () => nowMs, ...config });
  opened.push(spool);
  return spool;
}

/** So many frames of one line each, of about `size` bytes. */
function fill(spool: Spool, count: number, size = 10): void {
  for (let i = 0; i < count; i += 1) {
    spool.append({ tsMs: nowMs, level: 'info', source: 'agent', message: `${i}`.padEnd(size, '.') });
    spool.flush();
  }
}

/** Acks everything before a number, as a store does that has it. */
function ack(spool: Spool, next: number): void {
  const { epoch } = spool.epochs()[0]!;
  const before = spool.find({ epoch, from: next - 1, to: next - 1 }, 1)[0]!.header;
  expect(spool.acked(epoch, next, before.hash)).toBe('ok');
  spool.flush();
}

const spans = (frames: Frame[]) =>
  frames.map(
    ({ header }) => `${header.gap === undefined ? '' : `${header.gap.reason} `}${header.first}+${header.count}`,
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-kept-'));
});
afterEach(() => {
  for (const spool of opened.splice(0)) spool.close();
  rmSync(folder, { recursive: true });
});

describe('what was acked', () => {
  test('is read again by a store that was set back, also over a restart; it waits no more', () => {
    const first = open();
    fill(first, 6);
    ack(first, 4);
    first.close();
    const spool = open();
    const [range] = spool.epochs();
    expect([range?.first, range?.next, spool.waiting().lines]).toEqual([4, 6, 2]);
    const { epoch } = range!;
    const all = spool.read({ epoch, from: 0, hash: EMPTY_HASH }, 1e6);
    expect(spans(all)).toEqual(['0+1', '1+1', '2+1', '3+1', '4+1', '5+1']);
    // A chain without a break, from the middle too.
    for (const [i, { header }] of all.entries()) expect(header.prev).toBe(all[i - 1]?.header.hash ?? EMPTY_HASH);
    expect(spans(spool.read({ epoch, from: 2, hash: all[1]!.header.hash }, 1e6))).toEqual(['2+1', '3+1', '4+1', '5+1']);
    expect(spans(spool.find({ epoch, from: 3, to: 4 }, 1e6))).toEqual(['3+1', '4+1']);
    expect(spool.find({ epoch: 'f'.repeat(16), from: 0, to: 4 }, 1e6)).toEqual([]);
  });

  test('goes at a quarter of the cap, oldest first; what is gone is a gap in front of what is left', () => {
    const spool = open({ capBytes: 400_000 });
    fill(spool, 60, 5_000);
    ack(spool, 60);
    const { epoch } = spool.epochs()[0]!;
    const [gap, ...kept] = spool.read({ epoch, from: 0, hash: EMPTY_HASH }, 1e6);
    expect(gap?.header.gap).toMatchObject({ from: 0, reason: 'freed' });
    expect(gap!.header.count + kept.length).toBe(60);
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.length * 5_000).toBeLessThanOrEqual(100_000);
    expect(kept[0]!.header.prev).toBe(gap!.header.hash);
  });

  test('makes place for what waits, which loses no line for it', () => {
    const spool = open({ capBytes: 400_000 });
    fill(spool, 18, 5_000);
    ack(spool, 18);
    fill(spool, 70, 5_000);
    const { epoch, first } = spool.epochs()[0]!;
    expect([first, spool.waiting().lines]).toEqual([18, 70]);
    expect(spool.find({ epoch, from: 0, to: 17 }, 1e6).length).toBeLessThan(18);
    expect(spool.read({ epoch, from: 18 }, 1e6).every(({ header }) => header.gap === undefined)).toBe(true);
  });

  test('goes after a day', () => {
    const spool = open();
    fill(spool, 5);
    ack(spool, 5);
    nowMs += 25 * 3_600_000;
    fill(spool, 2);
    ack(spool, 7);
    const { epoch } = spool.epochs()[0]!;
    expect(spans(spool.read({ epoch, from: 0 }, 1e6))).toEqual(['freed 0+5', '5+1', '6+1']);
  });

  test('is the first to go on a full disk', () => {
    const spool = open({ maxFileBytes: 400_000 });
    fill(spool, 30, 5_000);
    ack(spool, 30);
    fill(spool, 55, 5_000);
    expect(spool.waiting().lines).toBe(55);
    const { epoch } = spool.epochs()[0]!;
    expect(spool.read({ epoch, from: 30 }, 1e6).some(({ header }) => header.gap !== undefined)).toBe(false);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EMPTY_HASH, type FrameHeader } from '../../common/wire/link.ts';
import type { Frame } from '../../logging/spool/spool.ts';
import { createLineSender, type SentSpool } from './line-sender.ts';

const EPOCH = 'e'.repeat(16);
const FRAME_BYTES = 64 * 1024;

/** A spool with so many frames of one line, which is all that is asked of it here. */
function spoolOf(count: number): SentSpool {
  const body = Buffer.alloc(FRAME_BYTES);
  let acked = 0;
  const frameAt = (first: number): Frame => {
    const header: FrameHeader = {
      epoch: EPOCH,
      first,
      count: 1,
      prev: EMPTY_HASH,
      hash: EMPTY_HASH,
      bytes: FRAME_BYTES,
    };
    return { header, body };
  };
  return {
    epochs: () => [{ epoch: EPOCH, first: acked, next: count }],
    read({ from }, maxBytes) {
      const most = Math.min(count - (from ?? 0), Math.ceil(maxBytes / FRAME_BYTES));
      return Array.from({ length: Math.max(0, most) }, (_, i) => frameAt((from ?? 0) + i));
    },
    acked(_epoch, next) {
      acked = next;
      return 'ok';
    },
    onSpooled: () => () => undefined,
    newEpoch: () => undefined,
  } as SentSpool;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A sender whose manager answers every message at once, in one way or the other. */
function talk(frames: number, answer: () => 'ack' | 'nack') {
  const sentMs: number[] = [];
  const sent: { bytes: number; next: number }[] = [];
  const sender = createLineSender({
    spool: spoolOf(frames),
    failpoint: () => undefined,
    orEnd: (work) => work(),
    send(message, onGone) {
      sentMs.push(Date.now());
      const head = JSON.parse(message.toString('utf8', 0, message.indexOf(10))) as { frames: FrameHeader[] };
      const { first, count } = head.frames.at(-1)!;
      sent.push({ bytes: message.length, next: first + count });
      queueMicrotask(() => {
        onGone();
        if (answer() === 'nack') sender.nacked(EPOCH, 1_000);
        else sender.acked({ epoch: EPOCH, next: first + count, hash: EMPTY_HASH });
      });
    },
  });
  return { sender, sentMs, sent };
}

describe('a store that is behind (L12)', () => {
  test('is asked seldom, for little, and not by all agents at once; when it is back, nobody waits long', async () => {
    let isBack = false;
    const all = Array.from({ length: 50 }, () => talk(100, () => (isBack ? 'ack' : 'nack')));
    for (const { sender } of all) sender.resume([]);
    const startMs = Date.now();
    await vi.advanceTimersByTimeAsync(60_000);
    for (const { sent, sentMs } of all) {
      // A whole window may have been on its way once; from then on it is one message each time.
      const tries = sentMs.filter((atMs) => atMs > startMs);
      expect(tries.length).toBeLessThanOrEqual(22);
      expect(tries.length).toBeGreaterThanOrEqual(12);
      for (const { bytes } of sent.slice(-tries.length)) expect(bytes).toBeLessThan(2 * 256 * 1024);
      // Never sooner than it asked for.
      for (const [i, atMs] of tries.entries()) if (i > 0) expect(atMs - tries[i - 1]!).toBeGreaterThanOrEqual(1_000);
    }
    const slots = new Map<number, number>();
    for (const { sentMs } of all)
      for (const atMs of sentMs) {
        const slot = Math.floor((atMs - startMs) / 100);
        slots.set(slot, (slots.get(slot) ?? 0) + 1);
      }
    for (const [slot, count] of slots) if (slot > 100) expect(count).toBeLessThanOrEqual(12);

    isBack = true;
    await vi.advanceTimersByTimeAsync(5_000);
    for (const { sent } of all) expect(sent.at(-1)!.next).toBe(100);
  });

  test('that is slow to answer is sent no more than a window, and nothing twice', async () => {
    const waiting: (() => void)[] = [];
    let sentBytes = 0;
    const sender = createLineSender({
      spool: spoolOf(400),
      failpoint: () => undefined,
      orEnd: (work) => work(),
      send(message, onGone) {
        sentBytes += message.length;
        queueMicrotask(onGone);
        const { frames } = JSON.parse(message.toString('utf8', 0, message.indexOf(10))) as { frames: FrameHeader[] };
        const { first, count } = frames.at(-1)!;
        waiting.push(() => sender.acked({ epoch: EPOCH, next: first + count, hash: EMPTY_HASH }));
      },
    });
    sender.resume([]);
    await vi.advanceTimersByTimeAsync(600_000);
    const window = 8 * 1024 * 1024;
    expect(sentBytes).toBeGreaterThan(window);
    expect(sentBytes).toBeLessThan(window * 1.1);
    for (let ack = waiting.shift(); ack !== undefined; ack = waiting.shift()) {
      ack();
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(sentBytes).toBeGreaterThan(400 * FRAME_BYTES);
    expect(sentBytes).toBeLessThan(401 * FRAME_BYTES + 400 * 400);
  });

  test('leaves room for what else the link carries: no more than a megabyte of lines waits for the network', async () => {
    const gone: (() => void)[] = [];
    const sent: number[] = [];
    const sender = createLineSender({
      spool: spoolOf(400),
      failpoint: () => undefined,
      orEnd: (work) => work(),
      send(message, onGone) {
        sent.push(message.length);
        gone.push(onGone);
      },
    });
    sender.resume([]);
    const bytes = () => sent.reduce((sum, one) => sum + one, 0);
    expect(bytes()).toBeLessThan(1.5 * 1024 * 1024);
    const before = sent.length;
    gone.shift()!();
    expect(sent.length).toBe(before + 1);
    sender.stop();
    for (const one of gone) one();
    expect(sent.length).toBe(before + 1);
  });
});

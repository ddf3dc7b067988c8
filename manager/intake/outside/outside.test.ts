import { describe, expect, it } from 'vitest';
import type { NewLine } from '../../../common/model/line.ts';
import type { LineColumns } from '../../../common/wire/frames.ts';
import type { FrameHeader } from '../../../common/wire/link.ts';
import type { IncomingFrame, IntakeAnswer } from '../ports.ts';
import { createOutside } from './outside.ts';
import type { OutsideSender } from './ports.ts';

const line = (message: string): NewLine => ({ tsMs: 1, level: 'info', source: 'external', message });
const many = (name: string, count: number) => Array.from({ length: count }, (_, i) => line(`${name} ${i}`));
const ann: OutsideSender = { way: 'http', id: 'token-a', name: 'ann' };
const bob: OutsideSender = { way: 'http', id: 'token-b', name: 'bob' };
const udp: OutsideSender = { way: 'syslog-udp', id: '192.0.2.1', name: '192.0.2.1' };
const tcp: OutsideSender = { way: 'syslog-tcp', id: '192.0.2.2', name: '192.0.2.2' };

/** A store that takes frames when it is let, and remembers each once, as the true one does. */
function world({ linesPerSecond = 1_000_000, burstLines = 1_000_000 } = {}) {
  const headers: FrameHeader[] = [];
  const stored: string[][] = [];
  let clockMs = 0;
  const state = { works: true, gate: Promise.resolve() };
  const outside = createOutside(
    { linesPerSecond, burstLines, retryMs: 1 },
    {
      log: { info: () => {}, warn: () => {}, error: () => {} },
      monotonicMs: () => clockMs,
      intake: {
        async acceptFrames(_sender, frames: readonly IncomingFrame[]): Promise<IntakeAnswer[]> {
          const { header, body } = frames[0]!;
          headers.push(header);
          await state.gate;
          const { epoch, first, count, hash } = header;
          if (!state.works) return [{ t: 'nack', epoch, reason: 'store-unavailable', retryMs: 1 }];
          stored.push(
            header.gap === undefined
              ? (JSON.parse(Buffer.from(body).toString()) as LineColumns).message
              : [`gap of ${header.gap.to - header.gap.from + 1}: ${header.gap.reason}`],
          );
          return [{ t: 'ack', epoch, next: first + count, hash }];
        },
      },
    },
  );
  const wait = (ms: number) => {
    clockMs += ms;
  };
  return { outside, headers, stored, state, wait };
}

describe('lines of requests', () => {
  it('are numbered without a hole, and begin anew after what may or may not have been stored', async () => {
    const { outside, headers, state } = world();
    await outside.store(ann, [line('a'), line('b')]);
    await outside.store(bob, [line('c')]);
    expect(headers.map(({ first, count }) => [first, count])).toEqual([
      [0, 2],
      [2, 1],
    ]);
    expect(headers[1]!.prev).toBe(headers[0]!.hash);
    state.works = false;
    await expect(outside.store(ann, [line('d')])).rejects.toMatchObject({ code: 'store-unavailable' });
    state.works = true;
    await outside.store(ann, [line('e')]);
    expect(headers[3]).toMatchObject({ first: 0, count: 1, prev: '0'.repeat(32) });
    expect(headers[3]!.epoch).not.toBe(headers[0]!.epoch);
  });

  it('of a flooding sender wait behind themselves', async () => {
    const { outside, stored, state } = world();
    let open = () => {};
    state.gate = new Promise((resolve) => {
      open = resolve;
    });
    const flood = Array.from({ length: 5 }, (_, i) => outside.store(ann, many(`flood${i}`, 9_000)));
    await new Promise((resolve) => setImmediate(resolve));
    const small = outside.store(bob, [line('small')]);
    open();
    await Promise.all([...flood, small]);
    // One frame of the flood was on its way; the small one goes in the next.
    expect(stored.findIndex((frame) => frame.includes('small'))).toBe(1);
    await expect(
      Promise.all(Array.from({ length: 8 }, () => outside.store(ann, many('x', 9_000)))),
    ).rejects.toMatchObject({ code: 'too-many-requests' });
  });

  it('are sent back over the rate, and taken again when it has passed', async () => {
    const { outside, wait } = world({ linesPerSecond: 100, burstLines: 200 });
    outside.admit(ann);
    await outside.store(ann, many('a', 400));
    expect(() => outside.admit(ann)).toThrow(/100 lines a second/);
    outside.admit(bob);
    wait(1_990);
    expect(() => outside.admit(ann)).toThrow();
    wait(20);
    outside.admit(ann);
    const way = outside.report(() => null).find((one) => one.way === 'http')!;
    expect(way).toMatchObject({ taken: 400, sentBack: 2, refused: [], dropped: [] });
  });
});

describe('lines that nobody sends again', () => {
  it('are stored once, whatever the store says in between', async () => {
    const { outside, headers, stored, state } = world();
    state.works = false;
    for (const one of many('a', 3)) expect(outside.offer(udp, one)).toBe(true);
    while (headers.length < 3) await new Promise((resolve) => setImmediate(resolve));
    state.works = true;
    await outside.stop();
    expect(stored).toEqual([['a 0', 'a 1', 'a 2']]);
    // The very same frame each time: what was stored after all is known again by its numbers and hash.
    expect(new Set(headers.map((header) => JSON.stringify(header))).size).toBe(1);
  });

  it('leave a gap record where they were too many, and another sender is not touched', async () => {
    const { outside, stored, wait } = world({ linesPerSecond: 10, burstLines: 10 });
    const taken = many('flood', 100).filter((one) => outside.offer(udp, one));
    expect(taken).toHaveLength(10);
    expect(outside.offer({ ...udp, id: '192.0.2.9', name: '192.0.2.9' }, line('quiet'))).toBe(true);
    wait(1_000);
    await outside.stop();
    expect(stored.flat()).toContain('quiet');
    expect(stored.at(-1)).toEqual(['gap of 90: syslog-udp 192.0.2.1: more lines a second than one sender may send']);
    const way = outside.report(() => null).find((one) => one.way === 'syslog-udp')!;
    expect(way.dropped).toEqual([{ reason: 'more lines a second than one sender may send', count: 90 }]);
    expect(way.senders.map(({ name, taken: count }) => [name, count])).toEqual([
      ['192.0.2.9', 1],
      ['192.0.2.1', 10],
    ]);
  });

  it('of a sender that can be held up are not dropped: it is told to wait', () => {
    const { outside, wait } = world({ linesPerSecond: 10, burstLines: 10 });
    for (const one of many('a', 10)) outside.offer(tcp, one);
    expect(outside.pauseMs(tcp)).toBe(100);
    wait(100);
    expect(outside.pauseMs(tcp)).toBe(0);
  });

  it('have a bound while the store is away', async () => {
    const { outside, state } = world();
    state.works = false;
    let dropped = 0;
    for (const one of many('a', 10_100)) if (!outside.offer(udp, one)) dropped += 1;
    expect(dropped).toBe(100);
    expect(outside.offer(tcp, line('other'))).toBe(true);
    expect(outside.pauseMs(udp)).toBe(100);
    await outside.stop();
  });
});

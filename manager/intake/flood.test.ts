import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeSpool } from '../../test/support/fake-spool.ts';
import { A, createRig, line, type Rig } from '../../test/support/intake-rig.ts';
import { createBus } from '../bus/bus.ts';
import { createCommitter } from './committer.ts';
import { createLanes } from './lanes.ts';

const other = (i: number) => {
  const id = i.toString(16).padStart(32, 'b');
  return { sender: { agent: id, hostId: id, hostName: `h${i}` }, spool: new FakeSpool() };
};
let rig: Rig;
let open: () => void;

/** A store that takes nothing until `open`; then one transaction after the other. */
beforeEach(async () => {
  rig = await createRig();
  await rig.intake.stop();
  rig.start({ limitCommitLines: 20, limitQueuedBytes: 256 * 1024 });
  rig.gate = new Promise((resolve) => {
    open = resolve;
  });
});
afterEach(() => rig.end());

describe('an agent that floods (L19, S24)', () => {
  it('holds up nobody: one line of another is in the next transaction', async () => {
    const flood = new FakeSpool();
    const order: string[] = [];
    const sending: Promise<unknown>[] = [];
    const send = (name: string, from: typeof A, frame: ReturnType<FakeSpool['add']>) =>
      sending.push(rig.intake.acceptFrames(from, [frame]).then(([answer]) => order.push(`${name} ${answer?.t}`)));
    // A hundred messages of ten lines: two fill a transaction.
    for (let i = 0; i < 100; i += 1)
      send('flood', A, flood.add(Array.from({ length: 10 }, (_, n) => line(`${i * 10 + n}`))));
    while (rig.commits === 0) await new Promise((resolve) => setImmediate(resolve));
    const others = [1, 2, 3].map(other);
    for (const { sender, spool } of others) send(sender.hostName, sender, spool.add([line('quiet')]));
    await new Promise((resolve) => setImmediate(resolve));
    open();
    await Promise.all(sending);
    // The first transaction, of two messages, was on its way when they came; the second is theirs alone.
    expect(order.slice(2, 5).sort()).toEqual(others.map(({ sender }) => `${sender.hostName} ack`).sort());
    expect(order.filter((one) => one.startsWith('flood'))).toHaveLength(100);
    expect((await rig.messages()).map(Number)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(rig.intake.counters).toMatchObject({ gaps: 0, nacks: 0 });
  });

  it('leaves room: when it may send no more, others still may', async () => {
    const flood = new FakeSpool();
    let refused = 0;
    const sending: Promise<unknown>[] = [];
    for (let i = 0; i < 40; i += 1)
      sending.push(
        rig.intake.acceptFrames(A, [flood.add([line('x'.repeat(16 * 1024))])]).then((told) => {
          if (told[0]?.t === 'nack') refused += 1;
        }),
      );
    while (refused === 0) await new Promise((resolve) => setImmediate(resolve));
    const { sender, spool } = other(1);
    const quiet = rig.intake.acceptFrames(sender, [spool.add([line('x'.repeat(16 * 1024))])]);
    await new Promise((resolve) => setImmediate(resolve));
    open();
    expect(await quiet).toMatchObject([{ t: 'ack' }]);
    await Promise.all(sending);
    expect(refused).toBeGreaterThan(20);
  });

  it('and then ends cannot be acked before what it sent is stored, though others went first', async () => {
    const flood = new FakeSpool();
    const frames = Array.from({ length: 10 }, () => flood.add(Array.from({ length: 10 }, () => line('x'))));
    const sent = frames.map((frame) => rig.intake.acceptFrames(A, [frame]));
    while (rig.commits === 0) await new Promise((resolve) => setImmediate(resolve));
    // The same again: nothing is to be stored, and the answer waits all the same.
    const again = rig.intake.acceptFrames(A, frames);
    let isTold = false;
    void again.then(() => {
      isTold = true;
    });
    for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(isTold).toBe(false);
    open();
    expect(await again).toMatchObject([{ t: 'ack', next: 100 }]);
    expect(await rig.stored()).toHaveLength(100);
    await Promise.all(sent);
  });
});

describe('a store in which there is little room (L19)', () => {
  it('takes from who says little, and lets who floods wait; then all of it, in order', async () => {
    let isFull = true;
    let onRoom: (() => void)[] = [];
    const waited: number[] = [];
    const stored: string[] = [];
    const room = {
      limitLittleLines: 16,
      isFull: () => isFull,
      wait(lines: number) {
        waited.push(lines);
        return new Promise<void>((resolve) => onRoom.push(resolve));
      },
    };
    const committer = createCommitter(
      { limitCommitLines: 64, limitQueuedBytes: 1_000_000 },
      {
        lines: {
          room,
          async append(batches) {
            stored.push(batches.map(({ agent, first }) => `${agent}${first}`).join(' '));
            return [];
          },
        },
        bus: createBus((error) => {
          throw error;
        }),
        counters: { ...rig.intake.counters },
        failpoint: () => undefined,
        onFailed: () => undefined,
      },
    );
    const flood = new FakeSpool();
    const commit = (agent: string, spool: FakeSpool, count: number) => {
      const { header, body } = spool.add(Array.from({ length: count }, () => line('x')));
      const columns = JSON.parse(body.toString());
      const from = { agent, host: agent, hostName: agent, epoch: spool.epoch };
      return committer.commit(
        agent,
        [{ ...from, first: header.first, count, hash: header.hash, receivedMs: 1, columns, gap: null }],
        1,
      );
    };
    const floods = Array.from({ length: 8 }, () => commit('f', flood, 10));
    while (waited.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [b, c] = [new FakeSpool(), new FakeSpool()];
    await Promise.all([commit('b', b, 2), commit('c', c, 1)]);
    await commit('b', b, 1);
    expect(stored).toEqual(['b0 c0', 'b2']);
    isFull = false;
    for (const wake of onRoom) wake();
    onRoom = [];
    await Promise.all(floods);
    expect(stored.slice(2).join(' ')).toBe('f0 f10 f20 f30 f40 f50 f60 f70');
  });
});

describe('lanes', () => {
  it('let those go who have little, and keep the others as they are', () => {
    const lanes = createLanes<{ weight: number }>();
    for (const [sender, weight] of [
      ['flood', 5],
      ['a', 1],
      ['flood', 1],
      ['b', 2],
      ['a', 2],
      ['c', 3],
      ['d', 2],
    ] as const)
      lanes.push(sender, { weight });
    const weightOf = ({ weight }: { weight: number }) => weight;
    // No more than 3 of each, and 8 of all: d does not fit any more.
    expect(lanes.takeLittle(8, 3, weightOf).map(weightOf)).toEqual([1, 2, 2, 3]);
    expect([lanes.length, lanes.has('a'), lanes.has('d')]).toEqual([3, false, true]);
    expect(lanes.takeLittle(1, 3, weightOf)).toEqual([]);
    expect(lanes.take(100, weightOf).map(weightOf)).toEqual([5, 2, 1]);
  });

  it('give each its turn, keep the order of each, and take no more than the limit', () => {
    const lanes = createLanes<string>();
    for (let i = 0; i < 6; i += 1) lanes.push('a', `a${i}`);
    lanes.push('b', 'b0');
    lanes.push('b', 'b1');
    lanes.push('c', 'c0');
    const take = (limit: number) => lanes.take(limit, () => 1);
    expect(take(4)).toEqual(['a0', 'b0', 'c0', 'a1']);
    expect([lanes.length, lanes.has('c')]).toEqual([5, false]);
    lanes.push('c', 'c1');
    // Who had its turn is behind who had none.
    expect(take(3)).toEqual(['a2', 'b1', 'c1']);
    expect(lanes.take(1, () => 5)).toEqual(['a3']);
    expect(lanes.clear()).toEqual(['a4', 'a5']);
    expect([lanes.length, lanes.take(9, () => 1)]).toEqual([0, []]);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeSpool } from '../../test/support/fake-spool.ts';
import { createRig, line, type Rig } from '../../test/support/intake-rig.ts';
import { type Partition, QUICK_TIMES, startPartition } from '../../test/support/partition.ts';

let rig: Rig | null = null;
let partitions: Partition[] = [];
afterEach(async () => {
  await rig?.end();
  rig = null;
  for (const one of partitions) await one.stop();
  partitions = [];
});

const KB = 1024;

describe('a store whose disk is slow (L12)', () => {
  it('is given so much and no more: the rest is sent back, nothing is acked early, and nothing is lost', async () => {
    rig = await createRig();
    await rig.intake.stop();
    const limitQueuedBytes = 512 * KB;
    rig.start({ limitQueuedBytes, retryMs: 1_000 });
    let open = () => {};
    rig.gate = new Promise((resolve) => {
      open = resolve;
    });
    const agents = Array.from({ length: 8 }, (_, i) => {
      const id = String(i).repeat(32);
      return { sender: { agent: id, hostId: id, hostName: `h${i}` }, spool: new FakeSpool() };
    });
    const answers: string[] = [];
    const { intake } = rig;
    const sending = agents.flatMap(({ sender, spool }) =>
      Array.from({ length: 40 }, (_, i) => {
        const frame = spool.add([line(`${i} ${'x'.repeat(16 * KB)}`)]);
        return intake.acceptFrames(sender, [frame]).then((told) => {
          answers.push(...told.map(({ t }) => t));
          return told;
        });
      }),
    );
    // Everything that is sent back is so at once; what waits for the store says nothing.
    const bytes = 17 * KB;
    const most = Math.ceil(limitQueuedBytes / (16 * KB)) + 1;
    while (answers.length < 8 * 40 - most) await new Promise((resolve) => setImmediate(resolve));
    expect(answers.every((t) => t === 'nack')).toBe(true);
    // A part is kept for agents of which nothing waits.
    expect(8 * 40 - answers.length).toBeGreaterThanOrEqual(Math.floor((limitQueuedBytes * 7) / 8 / bytes));
    expect(rig.commits).toBe(1);
    open();
    const told = (await Promise.all(sending)).flat();
    expect(new Set(told.flatMap((one) => (one.t === 'nack' ? [`${one.reason} ${one.retryMs}`] : [])))).toEqual(
      new Set(['the store is behind 1000']),
    );

    // Each goes on at its cursor, as an agent does.
    for (const { sender, spool } of agents) {
      const { cursors } = await intake.hello(sender, [spool.range()]);
      const from = cursors[0]?.next ?? 0;
      const rest = spool.frames.filter(({ header }) => header.first >= from);
      if (rest.length > 0) expect(await intake.acceptFrames(sender, rest)).toMatchObject([{ t: 'ack', next: 40 }]);
      const { lines } = await rig.store.lines.since({ host: sender.hostId }, 0, 1_000);
      expect(lines.map(({ message }) => Number.parseInt(message, 10))).toEqual(Array.from({ length: 40 }, (_, i) => i));
    }
    expect(rig.intake.counters.gaps).toBe(0);
  });

  it('of 10, 100 and 500 ms a commit: the link stays, nothing is refused or sent twice', async () => {
    const lines = 60;
    await Promise.all(
      [10, 100, 500].map(async (delayMs) => {
        let commits = 0;
        const one = await startPartition({
          links: {},
          agent: { silenceMs: 10_000, probeMs: 2_000, checkMs: 1_000 },
          lines: (store) => ({
            ...store,
            async append(batches) {
              commits += 1;
              await sleep(delayMs);
              return store.append(batches);
            },
          }),
        });
        partitions.push(one);
        await one.road.until(() => one.hostState() === 'online');
        for (let i = 0; i < lines; i += 1) {
          one.write();
          await sleep(5);
        }
        expect(await one.faults(), `${delayMs} ms`).toEqual([]);
        const { nacks, replays, storeErrors } = one.road.intake.counters;
        expect({ opened: one.net.opened(), nacks, replays, storeErrors }).toEqual({
          ...{ opened: 1, nacks: 0, replays: 0, storeErrors: 0 },
        });
        // What comes during a commit shares the next one.
        if (delayMs >= 100) expect(commits).toBeLessThan(lines);
      }),
    );
  });

  it('of longer than a host may be silent: its link stays all the same', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let isSlow = false;
    const one = await startPartition({
      ...QUICK_TIMES,
      lines: (store) => ({
        ...store,
        async append(batches) {
          if (isSlow) await gate;
          return store.append(batches);
        },
      }),
    });
    partitions.push(one);
    await one.road.until(() => one.hostState() === 'online');
    await one.drained();
    isSlow = true;
    const before = one.written();
    // Twice as long as silence may last.
    await one.road.until(() => one.written() >= before + 2_000 / QUICK_TIMES.writeEveryMs!);
    expect([one.hostState(), one.net.opened()]).toEqual(['online', 1]);
    open();
    expect(await one.faults()).toEqual([]);
    expect(one.road.intake.counters.replays).toBe(0);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Partition, QUICK_TIMES, startPartition } from '../../test/support/partition.ts';
import { INVENTORY_DEFAULTS } from '../intake/inventory-ports.ts';
import { LINKS_DEFAULTS } from './ports.ts';

// Silence is awaited, on however busy a machine.
vi.setConfig({ testTimeout: 60_000 });
let started: Partition[] = [];
async function start(times = QUICK_TIMES): Promise<Partition> {
  const one = await startPartition(times);
  started.push(one);
  await one.road.until(() => one.hostState() === 'online');
  return one;
}
afterEach(async () => {
  const all = started;
  started = [];
  for (const one of all) await one.stop();
});

const WELL = {};
const FAULTS: [string, (partition: Partition) => void][] = [
  ['nothing comes through', ({ net }) => net.set({ held: 'both' })],
  ['nothing comes from the agent', ({ net }) => net.set({ held: 'up' })],
  ['nothing comes to the agent', ({ net }) => net.set({ held: 'down' })],
  ['one byte a second comes through', ({ net }) => net.set({ bytesPerSecond: 1 })],
];

describe('a road that is cut (L10)', () => {
  it('is told within 15 seconds', () => {
    const { silenceMs, pingEveryMs } = LINKS_DEFAULTS;
    expect(silenceMs + pingEveryMs).toBeLessThanOrEqual(15_000);
    expect(INVENTORY_DEFAULTS.staleAfterMs + INVENTORY_DEFAULTS.checkEveryMs).toBeLessThanOrEqual(15_000);
  });

  it('costs no line, doubles none and keeps their order; the host is stale meanwhile', async () => {
    await Promise.all(
      FAULTS.map(async ([what, cut]) => {
        const one = await start();
        await one.drained();
        cut(one);
        await one.road.until(() => one.hostState() === 'stale');
        const before = one.written();
        await one.road.until(() => one.written() >= before + 20);
        one.net.set(WELL);
        await one.road.until(() => one.hostState() === 'online');
        expect(await one.faults(), what).toEqual([]);
      }),
    );
  });

  it('for a moment ends no link', async () => {
    const times = { ...QUICK_TIMES, links: { ...QUICK_TIMES.links, silenceMs: 5_000 } };
    const one = await start({ ...times, agent: { ...times.agent, silenceMs: 5_000 } });
    for (const held of ['both', 'up', 'down'] as const) {
      const before = one.written();
      one.net.set({ held });
      await one.road.until(() => one.written() >= before + 10);
      one.net.set(WELL);
      await one.drained();
    }
    expect(one.net.opened()).toBe(1);
    expect(await one.faults()).toEqual([]);
  });

  it('by resets, many in a row, is taken up again each time', async () => {
    const one = await start();
    for (let i = 0; i < 12; i += 1) {
      await one.road.until(() => one.hostState() === 'online');
      one.net.reset();
      await one.road.until(() => one.hostState() === 'stale');
    }
    await one.road.until(() => one.hostState() === 'online');
    expect(await one.faults()).toEqual([]);
  });

  it('for us alone, many times in a row, locks us out of no agent: the newest link is let in', async () => {
    const one = await start({ ...QUICK_TIMES, agent: { ...QUICK_TIMES.agent, silenceMs: 60_000 } });
    // More links that hear of nothing than an agent holds.
    for (let i = 0; i < 6; i += 1) {
      const before = one.net.opened();
      one.net.halfOpen();
      await one.road.until(() => one.net.opened() > before && one.net.open() === 1);
    }
    await one.road.until(() => one.hostState() === 'online');
    expect(await one.faults()).toEqual([]);
    expect(one.agent.links.state().connected).toBe(true);
  });

  it('and whose bytes come late, after a newer link is open: they are heard by nobody', async () => {
    // The agent does not see by itself that its first link is dead.
    const one = await start({ ...QUICK_TIMES, agent: { ...QUICK_TIMES.agent, silenceMs: 60_000 } });
    await one.drained();
    one.net.set({ held: 'both' });
    const command = {
      ...{ opId: 'op-too-late', verb: 'start', instance: null, args: {}, actor: 'a@b', fence: 1, expiresMs: 9e15 },
    };
    expect(one.road.links.send(one.agent.identity.id, { t: 'command', command })).toBe(true);
    await one.road.until(() => one.hostState() === 'stale');
    // What is dialled from here on comes through; the first one is still held.
    one.net.set(WELL, 'new');
    await one.road.until(() => one.hostState() === 'online');
    await one.drained();
    const opened = one.net.opened();
    one.net.set(WELL);
    const before = one.written();
    await one.road.until(() => one.written() >= before + 50);
    await one.drained();
    expect(one.agent.commands.report('op-too-late')).toBeUndefined();
    expect([one.net.opened(), one.hostState()]).toEqual([opened, 'online']);
    expect(await one.faults()).toEqual([]);
  });

  it('is not taken for cut while a large message is slow to come', async () => {
    const one = await start({ ...QUICK_TIMES, writeEveryMs: 100_000 });
    // Lines travel by the quarter of a megabyte: each message takes longer than an agent may be silent.
    one.net.set({ bytesPerSecond: 180_000 });
    const text = 'x'.repeat(16_000);
    for (let i = 0; i < 26; i += 1) one.write(text);
    await one.drained();
    expect([one.net.opened(), one.hostState()]).toEqual([1, 'online']);
    expect(await one.faults()).toEqual([]);
  });
});

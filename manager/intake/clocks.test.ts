import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeSpool } from '../../test/support/fake-spool.ts';
import { A, createRig, type Rig } from '../../test/support/intake-rig.ts';
import { createClocks } from './clocks.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const B = { agent: 'b'.repeat(32), hostId: 'b'.repeat(32), hostName: 'beta' };

let rig: Rig;

/** Two agents that log in turn, each second one line; `a` by a clock that is `offsetMs(second)` off. */
async function twoAgents(seconds: number, offsetMs: (second: number) => number, step?: (second: number) => number) {
  const spools = { a: new FakeSpool(), b: new FakeSpool() };
  const said: string[] = [];
  for (let second = 0; second < seconds; second += 1) {
    rig.nowMs += 500 + (step?.(second) ?? 0);
    rig.monotonicMs += 500;
    for (const [name, sender] of [
      ['a', A],
      ['b', B],
    ] as const) {
      const clockMs = rig.nowMs + (name === 'a' ? offsetMs(second) : 0);
      // The host message, 20 ms on the road, before the lines; twice: a step back is believed when it is told twice.
      for (let i = 0; i < 2; i += 1) rig.clocks?.told(sender.agent, clockMs - 20);
      const message = `${name}${second}`;
      const frame = spools[name].add([{ tsMs: clockMs, level: 'info', source: 'agent', message }]);
      rig.nowMs += 100;
      rig.monotonicMs += 100;
      const [answer] = await rig.intake.acceptFrames(sender, [frame]);
      expect(answer?.t).toBe('ack');
      said.push(message);
    }
  }
  return said;
}

const found = async () => (await rig.store.lines.query({}, { limit: 1_000 })).lines.reverse();

describe('a clock that is wrong (L13)', () => {
  beforeEach(async () => {
    rig = await createRig();
    rig.nowMs = Date.UTC(2026, 10, 21);
  });
  afterEach(() => rig.end());

  it.each<[string, (second: number) => number]>([
    ['ten years behind', () => -10 * YEAR_MS],
    ['ten years ahead', () => 10 * YEAR_MS],
    ['an hour behind', () => -HOUR_MS],
    ['an hour ahead', () => HOUR_MS],
    ['three seconds behind', () => -3_000],
    ['three seconds ahead', () => 3_000],
    ['stepping ahead and back every minute', (second) => (second % 2 === 0 ? HOUR_MS : 0)],
    ['stepping back and ahead every minute', (second) => (second % 2 === 0 ? 0 : -HOUR_MS)],
    ['running away', (second) => second * 400],
  ])('%s: every line is kept, in the order in which it was said', async (_, offsetMs) => {
    const said = await twoAgents(12, offsetMs);
    const lines = await found();
    expect(lines.map((one) => one.message)).toEqual(said);
    // Its own time stays on the line.
    expect(lines.find((one) => one.message === 'a0')?.tsMs).toBe(lines[0]!.receivedMs - 100 + offsetMs(0));
    // The newest page shows it, and so does the live road.
    expect(rig.live.map((batch) => batch.columns?.message[0])).toEqual(said);
    // Retention knows only our own clock: nothing of it has run out, whatever its agent thinks.
    expect(await rig.store.retain({ receivedBeforeMs: rig.nowMs - HOUR_MS })).toBeNull();
  });

  it('the manager steps back an hour: the lines after it are kept, and stand at its time', async () => {
    const said = await twoAgents(
      6,
      (second) => (second < 3 ? 0 : HOUR_MS),
      (second) => (second === 3 ? -HOUR_MS : 0),
    );
    const lines = await found();
    expect(lines.map((one) => one.message)).toEqual([...said.slice(6), ...said.slice(0, 6)]);
    expect(rig.live).toHaveLength(said.length);
  });

  it('the manager steps ahead an hour: a line that comes before the agent told its clock is not sorted an hour ago', async () => {
    const spool = new FakeSpool();
    rig.clocks?.told(A.agent, rig.nowMs);
    const agentMs = rig.nowMs;
    rig.nowMs += HOUR_MS;
    await rig.accept(spool.add([{ tsMs: agentMs, level: 'info', source: 'agent', message: 'x' }]));
    expect((await found())[0]).toMatchObject({ tsMs: agentMs, sortMs: rig.nowMs });
  });

  it('equal clocks and a road that takes its time: no line is touched', async () => {
    await twoAgents(5, () => 0);
    for (const one of await found()) expect(one.sortMs).toBeUndefined();
  });
});

describe('the offset of a clock', () => {
  let nowMs = 0;
  const make = () => createClocks({ nowMs: () => 1e12 + nowMs, monotonicMs: () => nowMs });
  beforeEach(() => {
    nowMs = 0;
  });
  /** An agent that is `offsetMs` off says so, `delayMs` on the road. */
  const tell = (clocks: ReturnType<typeof make>, offsetMs: number, delayMs: number) => {
    nowMs += 5_000;
    clocks.told('a', 1e12 + nowMs + offsetMs - delayMs);
    return clocks.offsetMs('a');
  };

  it('is that of the quickest message', () => {
    const clocks = make();
    expect([500, 300, 10, 800].map((delayMs) => tell(clocks, 4_000, delayMs))).toEqual([3_500, 3_700, 3_990, 3_990]);
  });

  it('is nothing below the jitter, and does not follow it', () => {
    const clocks = make();
    expect([0, 49, 30].map((delayMs) => tell(clocks, 0, delayMs))).toEqual([0, 0, 0]);
    const off = make();
    expect([40, 0, 10].map((delayMs) => tell(off, 1_000, delayMs))).toEqual([960, 960, 960]);
  });

  it('is not moved by one late message, but by a step back that is told twice', () => {
    const clocks = make();
    expect(tell(clocks, 0, 5)).toBe(0);
    expect(tell(clocks, 0, 9_000)).toBe(0);
    expect(tell(clocks, 0, 5)).toBe(0);
    expect([tell(clocks, -HOUR_MS, 5), tell(clocks, -HOUR_MS, 5)]).toEqual([0, -HOUR_MS - 5]);
    expect(tell(clocks, 0, 5)).toBe(0);
  });

  it('of an agent that is not known is none', () => {
    expect(make().offsetMs('nobody')).toBe(0);
  });
});

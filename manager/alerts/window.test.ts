import { expect, it } from 'vitest';
import { createWatches, OTHERS } from './watches.ts';
import type { Happening, WindowRule } from './window.ts';

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const sighting = (id: number) => ({ id: `a.b.${id}`, message: () => `line ${id}` });
const short = ({ what, tsMs, group }: Happening) => `${what} ${group} ${tsMs}`;

/** All that would be said of these times if somebody looked at all of them at once, without groups, slots or bounds. */
function naive(times: number[], { condition, quietMs }: WindowRule, toMs: number): string[] {
  if (condition.kind !== 'lines') throw new TypeError('counts lines only');
  const { count, withinMs } = condition;
  const holds = (t: number) => times.filter((one) => one <= t && one > t - withinMs).length >= count;
  const told: string[] = [];
  let over: 'fired' | 'held' | null = null;
  let quietUntil = Number.NEGATIVE_INFINITY;
  for (let t = 0; t <= toMs; t += 1) {
    if (over !== null && !holds(t) && !(times.includes(t) && holds(t))) {
      if (over === 'fired') told.push(`ended null ${t}`);
      over = null;
    }
    if (over === 'held' && t >= quietUntil) {
      over = 'fired';
      told.push(`fired null ${quietUntil}`);
      quietUntil += quietMs;
    }
    if (over === null && times.includes(t) && holds(t)) {
      over = t < quietUntil ? 'held' : 'fired';
      if (over === 'fired') quietUntil = t + quietMs;
      told.push(`${over === 'held' ? 'held-quiet' : 'fired'} null ${t}`);
    }
  }
  return told;
}

it('says what somebody would say who sees all lines at once (2,000 random rules)', () => {
  const random = randomOf(7);
  for (let round = 0; round < 2_000; round += 1) {
    const rule: WindowRule = {
      condition: { kind: 'lines', count: 1 + Math.floor(random() * 4), withinMs: 1 + Math.floor(random() * 30) },
      quietMs: Math.floor(random() * 60),
    };
    const times = [...new Set(Array.from({ length: 30 }, () => Math.floor(random() * 150)))].sort((a, b) => a - b);
    const watches = createWatches(rule);
    const told: Happening[] = [];
    for (const [i, t] of times.entries()) {
      // Whoever looks in between changes nothing.
      if (random() < 0.5) told.push(...watches.advance((times[i - 1] ?? 0) + random() * (t - (times[i - 1] ?? 0))));
      told.push(...watches.observe(null, t, sighting(i)));
    }
    told.push(...watches.advance(200));
    expect(told.map(short), JSON.stringify({ rule, times })).toEqual(naive(times, rule, 200));
  }
});

it('says the same after it was kept and read again at any point', () => {
  const random = randomOf(11);
  for (let round = 0; round < 300; round += 1) {
    const rule: WindowRule = {
      condition:
        round % 2 === 0
          ? { kind: 'lines', count: 1 + Math.floor(random() * 3), withinMs: 20 }
          : { kind: 'silence', withinMs: 15 },
      quietMs: Math.floor(random() * 40),
    };
    const times = Array.from({ length: 40 }, () => Math.floor(random() * 300)).sort((a, b) => a - b);
    const groups = times.map(() => `g${Math.floor(random() * 3)}`);
    const once = createWatches(rule);
    let again = createWatches(rule);
    const told: [Happening[], Happening[]] = [[], []];
    for (const [i, t] of times.entries()) {
      told[0].push(...once.observe(groups[i]!, t, sighting(i)));
      told[1].push(...again.observe(groups[i]!, t, sighting(i)));
      if (random() < 0.3) again = createWatches(rule, JSON.parse(JSON.stringify([...again.all()])));
    }
    told[0].push(...once.advance(400));
    told[1].push(...again.advance(400));
    const inOrder = (list: Happening[]) => list.map((one) => JSON.stringify(one)).sort();
    expect(inOrder(told[1])).toEqual(inOrder(told[0]));
  }
});

it('counts what comes late where it belongs', () => {
  const watches = createWatches({ condition: { kind: 'lines', count: 3, withinMs: 1_000 }, quietMs: 0 });
  const told = [1_000_000, 5_000, 5_100].flatMap((t, i) => watches.observe(null, t, sighting(i)));
  expect(told).toEqual([]);
  // An agent was away: its burst is an hour old and is a burst all the same; the line of another host is none of it.
  expect(watches.observe(null, 5_050, sighting(3)).map(short)).toEqual(['fired null 5050']);
  expect(watches.advance(1_000_100).map(short)).toEqual(['ended null 6000']);
});

it('counts a million lines in bounded room, to a 512th of the time', () => {
  const watches = createWatches({ condition: { kind: 'lines', count: 100_000, withinMs: 60_000 }, quietMs: 0 });
  const told: Happening[] = [];
  for (let i = 0; i < 300_000; i += 1) told.push(...watches.observe(null, 1_000_000 + i / 2, sighting(i)));
  expect(told[0]).toMatchObject({ what: 'fired', count: 100_000, message: 'line 99999' });
  expect(told).toHaveLength(1);
  const [watch] = [...watches.all()];
  expect(watch!.at.length).toBeLessThanOrEqual(600);
});

it('fires for silence once, and says when it is over', () => {
  const watches = createWatches({ condition: { kind: 'silence', withinMs: 100 }, quietMs: 1_000 });
  watches.expect(['a', 'b'], 0);
  watches.observe('a', 50, sighting(1));
  expect(watches.advance(120).map(short)).toEqual(['fired b 100']);
  expect(watches.advance(149)).toEqual([]);
  expect(watches.advance(500).map(short)).toEqual(['fired a 150']);
  expect(watches.observe('a', 600, sighting(2)).map(short)).toEqual(['ended a 600']);
  // Silent again within the quiet time: held, and told when that is over and it still lasts.
  expect(watches.advance(800).map(short)).toEqual(['held-quiet a 700']);
  expect(watches.advance(1_200).map(short)).toEqual(['fired b 1100', 'fired a 1150'].slice(1));
  // A host that was removed is not silent any more.
  expect(watches.expect(['a'], 1_300).map(short)).toEqual(['ended b 1300']);
});

it('counts groups apart up to a bound, and those beyond it together', () => {
  const watches = createWatches({ condition: { kind: 'lines', count: 2, withinMs: 1_000 }, quietMs: 0 }, [], 3);
  const see = (group: string, t: number) => watches.observe(group, t, sighting(t)).map(short);
  for (const group of ['a', 'b', 'c']) expect(see(group, 10)).toEqual([]);
  expect(see('d', 20)).toEqual([]);
  expect(see('e', 30)).toEqual([`fired ${OTHERS} 30`]);
  expect(watches.overflow).toBe(2);
  expect(see('a', 40)).toEqual(['fired a 40']);
  // Later the old groups have nothing that counts: their places are free.
  for (let i = 0; i < 1_000; i += 1) see('x', 100_000);
  expect([...watches.all()].map(({ group }) => group)).toContain('x');
});

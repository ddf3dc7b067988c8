import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildLogstorm, runLogstorm, type StormRound } from '../support/logstorm-run.ts';

let programs: Awaited<ReturnType<typeof buildLogstorm>>;
beforeAll(async () => {
  programs = await buildLogstorm();
});
afterAll(() => programs.remove());

const away: StormRound = { agent: null, manager: null, away: true };
const back: StormRound = { agent: null, manager: null, lines: 60 };

it('a spool that is full keeps the newest and declares the rest, exactly; the second outage behaves the same (L9)', async () => {
  const [lines, capLines] = [3_000, 1_000];
  const outcome = await runLogstorm({
    ...{ programs, lines, capLines, limitMs: 50_000 },
    // The agent is killed at the end of each.
    rounds: [away, back, away],
  });
  // Whatever was spooled is stored or declared, nothing is both, and nothing else is declared.
  expect(outcome.faults).toEqual([]);
  const gaps = outcome.gaps.sort((a, b) => a.from - b.from);
  expect(gaps.map(({ reason }) => reason)).toEqual(['spool-full', 'spool-full']);
  // Outages: the first, and the second; between them came as many lines as the agent says while it is linked.
  expect(outcome.missing).toBe(gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0));
  for (const { from, to } of gaps) {
    const lost = to - from + 1;
    expect(lost).toBeGreaterThanOrEqual(lines - capLines);
    // No more than was needed: what came, a 64th of the cap, and a frame.
    expect(lost).toBeLessThan(lines + 60 - capLines + capLines / 64 + 2 * 40);
  }
  expect(gaps[0]!.from).toBe(0);
});

it('while no manager is there all waits in the spool, and drains whole and in order when one is back (L8)', async () => {
  const lines = 10_000;
  // The agent is killed at the end of each outage, and in the middle of sending what waited.
  const rounds: StormRound[] = [away, away, { agent: 'A7@3', manager: null, lines: 60 }, back];
  const outcome = await runLogstorm({ programs, lines, rounds, limitMs: 50_000 });
  expect(outcome.faults).toEqual([]);
  expect(outcome.gaps).toEqual([]);
  expect(outcome.stored).toBeGreaterThanOrEqual(2 * lines);
});

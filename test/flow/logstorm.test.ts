import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLogstorm, runLogstorm, type StormRound } from '../support/logstorm-run.ts';

let programs: Awaited<ReturnType<typeof buildLogstorm>>;
beforeAll(async () => {
  programs = await buildLogstorm();
});
afterAll(() => programs.remove());

const both = (agent: string, at: string, pass: number): StormRound => ({ agent, manager: { at, pass } });

/** So long a round may last in which a point is not passed often enough; both are killed then as they stand. */
const LIMIT_MS = 20_000;

describe('agent and manager under kill -9 (L1, L2, L3)', () => {
  it.each<[string, StormRound[]]>([
    [
      'the manager, while it stores',
      ['M1', 'M2', 'M3', 'M4', 'M5'].map((at, i) => ({ agent: null, manager: { at, pass: 2 + i } })),
    ],
    ['the agent, while it sends', ['A6@4', 'A7@9', 'A8@2', 'A9@3', 'A10@2'].map((agent) => ({ agent, manager: null }))],
    [
      'both, and the agent again while it recovers',
      [
        both('A7@6', 'M4', 3),
        both('A2@9', 'M2', 2),
        both('A11@1', 'M3', 1),
        both('A10@2', 'M5', 3),
        both('A4@7', 'M1', 2),
      ],
    ],
  ])('%s: what was spooled is stored once, in order, unaltered', async (_, rounds) => {
    const outcome = await runLogstorm({ programs, rounds, lines: 900, limitMs: LIMIT_MS });
    expect(outcome.faults).toEqual([]);
    expect(outcome.missing).toBe(0);
    expect(outcome.stored).toBeGreaterThanOrEqual(outcome.spooled);
    expect(outcome.spooled).toBeGreaterThan(300);
    expect(outcome.seenLive).toBeGreaterThan(0);
    // The control: it was a storm.
    expect(outcome.kills).toBeGreaterThanOrEqual(rounds.length);
  });
});

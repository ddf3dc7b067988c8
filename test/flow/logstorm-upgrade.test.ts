import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildLogstorm, runLogstorm, type StormRound } from '../support/logstorm-run.ts';
import { setBackLines, setBackSpool, setBackState } from '../support/older-files.ts';

let programs: Awaited<ReturnType<typeof buildLogstorm>>;
beforeAll(async () => {
  programs = await buildLogstorm();
});
afterAll(() => programs.remove());

const both = (agent: string, at: string, pass: number): StormRound => ({ agent, manager: { at, pass } });

it('both killed, then upgraded with lines in the spool, and killed at each step of that (L3, L17, M7)', async () => {
  const ends: string[] = [];
  const outcome = await runLogstorm({
    ...{ programs, lines: 600, limitMs: 20_000 },
    rounds: [
      both('A7@6', 'M4', 3),
      // Inside the second step of the state.
      both('A11@1', 'M7', 1),
      // All of the state is done; the file of lines is not begun, then inside its step, then behind it.
      both('A2@9', 'M7', 5),
      both('A11@1', 'M7', 2),
      both('A7@3', 'M7', 3),
    ],
    async between(round, dir, agent) {
      if (round !== 0) return;
      setBackState(join(dir, 'webvirt.sqlite'), 1);
      await setBackLines(join(dir, 'lines.duckdb'), [agent, 'manager']);
      setBackSpool(join(dir, 'spool.sqlite'));
    },
    onRound: (_, { manager }) => ends.push(manager),
  });
  expect(outcome.faults).toEqual([]);
  expect(outcome.missing).toBe(0);
  expect(outcome.stored).toBeGreaterThanOrEqual(outcome.spooled);
  expect(outcome.spooled).toBeGreaterThan(600);
  expect(ends).toEqual(Array(5).fill('SIGKILL'));
});

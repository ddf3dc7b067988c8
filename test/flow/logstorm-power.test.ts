import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failingIoMissing } from '../support/failing-io.ts';
import { buildLogstorm, runLogstorm, type StormRound } from '../support/logstorm-run.ts';
import { createPowerCuts, type PowerCuts } from '../support/power-cut.ts';

const both = (agent: string, at: string, pass: number): StormRound => ({ agent, manager: { at, pass } });
const ROUNDS = [both('A2@9', 'M3', 2), both('A4@7', 'M4', 3), both('A7@6', 'M2', 3), both('A10@2', 'M5', 2)];
/** Long enough for a slow machine to come to the points of death: a round that ends by it proves little. */
const LIMIT_MS = 20_000;

describe.skipIf(failingIoMissing() !== null)('agent and manager without power (L4)', () => {
  let programs: Awaited<ReturnType<typeof buildLogstorm>>;
  let power: PowerCuts;
  beforeAll(async () => {
    programs = await buildLogstorm();
    power = createPowerCuts();
  });
  afterAll(() => {
    programs?.remove();
    power?.remove();
  });

  async function storm(syncs: boolean) {
    let gone = 0;
    const outcome = await runLogstorm({
      ...{ programs, rounds: ROUNDS, lines: 900, limitMs: LIMIT_MS, isSilent: !syncs },
      envOf: (dir) => power.envOf(dir, { syncs }),
      between(round, dir) {
        gone += power.cut(dir, round + 1);
      },
    });
    return { ...outcome, gone };
  }

  it('have all that was spooled and acked before it, once, in order, unaltered', async () => {
    const { faults, spooled, stored, missing, gone } = await storm(true);
    expect(faults).toEqual([]);
    expect(missing).toBe(0);
    expect(stored).toBeGreaterThanOrEqual(spooled);
    expect(spooled).toBeGreaterThan(300);
    expect(gone).toBeGreaterThan(0);
  });

  it('lose lines on a disk that only says that it has synced: the control', async () => {
    const { faults } = await storm(false);
    expect(faults.length).toBeGreaterThan(0);
  });
});

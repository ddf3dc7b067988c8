import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildStorm, runStorm } from '../../test/support/storm.ts';
import { createLedger } from '../../test/support/storm-ledger.ts';
import { FAILPOINTS, type FailpointName } from '../failpoint.ts';

/** On which pass the process dies, by seed; and what must be going on for the point to be passed at all. */
const PASSES: Record<FailpointName, { at: [number, number, number]; capped?: boolean; epochs?: boolean }> = {
  A1: { at: [1, 7, 19] },
  A2: { at: [1, 5, 23] },
  A3: { at: [2, 31, 90] },
  A4: { at: [1, 8, 17] },
  A5: { at: [2, 4, 6], epochs: true },
  A6: { at: [1, 40, 111] },
  A7: { at: [1, 9, 30] },
  A8: { at: [1, 2, 5] },
  A9: { at: [1, 2, 6] },
  A10: { at: [1, 3, 4] },
  A11: { at: [1, 1, 1] },
  A12: { at: [1, 4, 12], capped: true },
};
const LINES = 5_500;

let program: string;
let folder: string;
beforeAll(async () => {
  program = await buildStorm();
  folder = mkdtempSync(join(tmpdir(), 'webvirt-storm-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(program, { force: true });
});

// RELIABILITY L1: 12 points × 3 kills.
describe('spool under kill -9', () => {
  test.each(FAILPOINTS)('%s: nothing spooled is lost, doubled, reordered or altered', async (point) => {
    const { at, capped = false, epochs = false } = PASSES[point];
    const ledger = createLedger();
    const path = join(folder, point, 'spool.sqlite');
    let run = 0;
    const storm = (lines: number, more: Record<string, string>, how: { acks: boolean; connected: boolean }) =>
      runStorm({ program, ledger, args: { path, run: String(run++), lines: String(lines), ...more }, ...how });
    const extra: Record<string, string> = {};
    if (capped) extra['capLines'] = '1000';
    if (epochs) extra['epochEvery'] = '700';

    for (const pass of at) {
      // Each kill finds something that waits: these lines were sent and never acked.
      await storm(200, { fail: 'A7@2' }, { acks: false, connected: true });
      const end = await storm(LINES, { fail: `${point}@${pass}`, ...extra }, { acks: !capped, connected: !capped });
      expect(end).toBe('SIGKILL');
    }
    expect(await storm(100, {}, { acks: true, connected: true })).toBe('0');
    expect(ledger.check()).toEqual([]);
    const { spooled, stored } = ledger.counts();
    expect(stored).toBeGreaterThan(100);
    if (capped) {
      // A gap that a repair had to make would have another reason.
      expect(new Set(ledger.gaps.map((gap) => gap.reason))).toEqual(new Set(['spool-full']));
    } else {
      expect(ledger.gaps).toEqual([]);
      expect(stored).toBeGreaterThanOrEqual(spooled);
    }
  });
});

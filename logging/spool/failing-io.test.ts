import { expect, it } from 'vitest';
import { failingIoMissing, type IoFault, underFailingIo } from '../../test/support/failing-io.ts';

const missing = failingIoMissing();

// Every third: SQLite tries an interrupted call again until it is not.
it.skipIf(missing !== null).each<[IoFault[], number[]]>([
  [['EIO'], [1, 2, 7]],
  [['short', 'EINTR'], [3]],
  [
    ['ENOSPC', 'EIO at syncs'],
    [2, 5],
  ],
])('%s at every n-th call (n: %s): told, tried again, no line lost, doubled or altered (L7)', async (faults, every) => {
  const { outcomes, ended } = await underFailingIo('spool', faults, every);
  expect(ended).toBe('0');
  expect(outcomes.map((outcome) => outcome.faults)).toEqual(outcomes.map(() => []));
  expect(outcomes).toHaveLength(faults.length * every.length);
  // It was a bad disk, and nobody was left in the dark.
  for (const { fault, failed, told } of outcomes) {
    expect(failed).toBeGreaterThan(0);
    if (fault.includes('EIO')) expect(told).toBeGreaterThan(0);
  }
});

if (missing !== null) it.skip(`skipped: ${missing}`, () => undefined);

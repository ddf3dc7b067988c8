import { describe, expect, it } from 'vitest';
import { failingIoMissing, type IoFault, underFailingIo } from '../../test/support/failing-io.ts';

const missing = failingIoMissing();
const FAULTS: [IoFault, number[]][] = [
  ['EIO', [3, 40]],
  ['ENOSPC', [2]],
  ['EIO at syncs', [2]],
  ['short', [5]],
];

describe.skipIf(missing !== null)('calls on files that fail (L7)', () => {
  it.each(FAULTS)('%s at every n-th call (n: %s): what was acked is stored once', async (fault, every) => {
    const { outcomes, ended } = await underFailingIo('lines', [fault], every);
    expect(ended).toBe('0');
    expect(outcomes.map(({ faults }) => faults)).toEqual(every.map(() => []));
    for (const { failed } of outcomes) expect(failed).toBeGreaterThan(0);
  });

  it('an operation that was written down stays, one that was refused is not there', async () => {
    const { outcomes, ended } = await underFailingIo('state', ['EIO', 'ENOSPC', 'EIO at syncs'], [2, 9]);
    expect(ended).toBe('0');
    expect(outcomes.map(({ faults }) => faults)).toEqual(outcomes.map(() => []));
    expect(outcomes.every(({ failed, told }) => failed > 0 && told > 0)).toBe(true);
  });
});

if (missing !== null) it.skip(`skipped: ${missing}`, () => undefined);

import { expect, it } from 'vitest';
import type { LedgerEntry, StoredGap } from '../../../common/model/ledger.ts';
import { reasonText } from './gap-reasons.ts';
import { byAgent, missingOf, shownEpochs, stripOf, totalsOf } from './ledger.ts';

const gap = (from: number, to: number, filled = 0): StoredGap => {
  return { from, to, filled, reason: 'spool-full', bytes: 0, receivedMs: 0 };
};
const entry = (part: Partial<LedgerEntry>): LedgerEntry => ({
  ...{ agent: 'a', host: 'a', hostName: 'alpha', epoch: 'e', next: 100, lines: 100, lost: 0, duplicates: 0 },
  ...{ waiting: null, firstMs: 0, lastMs: 0, gaps: [], gapCount: 0, ...part },
});

it('groups epochs by agent, hosts first and by name, the newest epoch first', () => {
  const list = byAgent([
    entry({ agent: 'manager', host: '', hostName: '' }),
    entry({ agent: 'b', hostName: 'beta' }),
    entry({ epoch: 'old', lastMs: 1 }),
    entry({ epoch: 'new', lastMs: 2 }),
  ]);
  expect(list.map(({ name, epochs }) => [name, epochs.map(({ epoch }) => epoch)])).toEqual([
    ['alpha', ['new', 'old']],
    ['beta', ['e']],
    ['Manager', ['e']],
  ]);
});

it('puts agents with a gap before the others, and keeps them there when it is filled', () => {
  const list = byAgent([
    entry({}),
    entry({ agent: 'n10', hostName: 'node-10', gapCount: 1 }),
    entry({ agent: 'n2', hostName: 'node-2', gapCount: 1, lost: 7 }),
  ]);
  expect(list.map(({ name }) => name)).toEqual(['node-2', 'node-10', 'alpha']);
});

it('shows the newest epoch and those that lost something; all when asked', () => {
  const [agent] = byAgent([
    entry({ epoch: 'new', lastMs: 3 }),
    entry({ epoch: 'quiet', lastMs: 2 }),
    entry({ epoch: 'lossy', lastMs: 1, gapCount: 1 }),
  ]);
  expect(shownEpochs(agent!, false).map(({ epoch }) => epoch)).toEqual(['new', 'lossy']);
  expect(shownEpochs(agent!, true)).toHaveLength(3);
});

it('draws numbers to scale, and a small gap so that it is seen, inside the strip', () => {
  const parts = stripOf({ next: 900, waiting: 100, gaps: [gap(450, 539), gap(899, 899, 1)] });
  expect(parts.map(({ kind, x, width }) => [kind, Math.round(x), Math.round(width)])).toEqual([
    ['received', 0, 900],
    ['lost', 450, 90],
    ['filled', 899, 4],
    ['waiting', 900, 100],
  ]);
  const [, last] = stripOf({ next: 1e6, waiting: null, gaps: [gap(999_999, 999_999)] });
  expect(last!.x + last!.width).toBe(1_000);
  expect(stripOf({ next: 0, waiting: 0, gaps: [] })).toEqual([]);
});

it('adds up, and says why in words', () => {
  const all = [entry({ lost: 3, lines: 97, waiting: 5, duplicates: 2, gapCount: 1 }), entry({ epoch: 'f' })];
  expect(totalsOf(all)).toEqual({ agents: 1, lines: 197, lost: 3, gaps: 1, waiting: 5, duplicates: 2 });
  expect(missingOf(gap(0, 9, 4))).toBe(6);
  expect(reasonText('spool-full, damaged')).toBe('the spool was full, damaged on the disk');
  expect(reasonText('the agent never sent them')).toBe('the agent never sent them');
});

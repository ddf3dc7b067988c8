import { expect, it } from 'vitest';
import type { Line } from '../../../../../common/model/line.ts';
import { specialRow } from './special-row.ts';

const NOON = new Date(2026, 0, 2, 12, 0, 0).getTime();
const line = (more: Partial<Line>): Line => ({
  ...{ id: 'a1.e.1', tsMs: NOON, receivedMs: NOON, level: 'warn', host: 'a1', hostName: 'fir', agent: 'a1' },
  ...{ source: 'journal', message: 'said' },
  ...more,
});
const row = (more: Partial<Line>) => specialRow(line(more), (id) => `name of ${id}`);

it('tells how many lines are missing, of whom, between which times and why, and where more stands', () => {
  const gap = { from: 3, to: 9, reason: 'spool-full', bytes: 0, firstTsMs: NOON, lastTsMs: NOON + 65_000 };
  expect(row({ fields: { gap } })).toEqual({
    kind: 'gap',
    text: '7 lines of fir were lost between 2026-01-02 12:00:00 and 2026-01-02 12:01:05: the spool was full',
    link: { name: 'Ledger', href: '#/ledger?agent=a1' },
  });
  expect(row({ fields: { gap: { from: 3, to: 3, reason: 'damaged', bytes: 10 } } })?.text).toBe(
    '1 line of fir was lost (number 3): damaged on the disk, 10 B',
  );
});

it('tells what a source left out, and nothing of the kind for programs outside', () => {
  const fields = { reason: 'rate', dropped: 1_200, firstMs: NOON, lastMs: NOON, linesPerSecond: 1_000 };
  const said = row({ fields, unit: 'ssh.service' });
  expect(said?.text.replaceAll(/\s/g, ' ')).toBe(
    '1 200 lines of fir ssh.service were left out at 2026-01-02 12:00:00: over 1 000 a second',
  );
  expect(row({ source: 'file', fields: { reason: 'rotated', lastReadMs: NOON } })?.text).toBe(
    'Lines of fir file may be missing since 2026-01-02 12:00:00: the log was rotated away',
  );
  expect(row({ source: 'external', fields })).toBeNull();
  expect(row({ fields: { reason: 'none of ours' } })).toBeNull();
});

it('tells on which host an instance goes on', () => {
  const fields = { marker: 'moved', host: 'birch' };
  const moved = row({ source: 'console', level: 'info', instance: 'i-1', fields });
  expect(moved).toEqual({
    kind: 'turn',
    text: 'name of i-1 is now on host birch',
    link: { name: 'Instance', href: '#/instances/i-1' },
  });
  expect(row({ source: 'external', fields })).toBeNull();
});

it.each([
  ['started', 'name of i-1 was started on host birch'],
  ['reset', 'name of i-1 was reset on host birch'],
  ['crashed', 'name of i-1 crashed on host birch'],
  ['another', 'said'],
])('tells that an instance %s', (marker, text) => {
  const fields = { marker, host: 'birch' };
  expect(row({ source: 'console', instance: 'i-1', fields })).toMatchObject({ kind: 'turn', text });
});

it('shows what is hostile in it as text', () => {
  const gap = { from: 0, to: 1, reason: 'x\u202e\u0007', bytes: 0 };
  expect(row({ hostName: 'f\u0000ir', fields: { gap } })?.text).not.toMatch(/[\u0000\u0007\u202e]/);
});

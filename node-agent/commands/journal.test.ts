import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { command, ONE, throwsCode } from '../../test/support/command-rig.ts';
import { type Journal, openJournal } from './journal.ts';
import { commandHash } from './journal-entry.ts';

let folder: string;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-journal-'));
  journal = openJournal({ path: join(folder, 'journal.sqlite'), capRows: 10 });
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

const at = { nowMs: 1, beforeState: 'running', emergency: false };
const done = { state: 'done', error: null, result: { state: 'paused' }, stderr: '', afterState: 'paused' } as const;

test('keeps an operation across a restart', () => {
  const one = command('pause', { args: { timeoutMs: 5 }, fence: 3 });
  journal.add(one, at);
  journal.started(one.opId, { nowMs: 2, pid: 7, pidStart: '99' });
  journal.close();
  journal = openJournal({ path: join(folder, 'journal.sqlite'), capRows: 10 });
  expect(journal.unfinished()).toMatchObject([
    { opId: one.opId, state: 'running', pid: 7, pidStart: '99', args: { timeoutMs: 5 } },
  ]);
  expect(journal.fence(ONE)).toBe(3);
  journal.ended(one.opId, 3, done);
  journal.started(one.opId, { nowMs: 4, pid: 8, pidStart: '1' });
  journal.ended(one.opId, 5, { ...done, state: 'failed' });
  expect(journal.find(one.opId)).toMatchObject({ state: 'done', final: true, pid: 7, endedMs: 3 });
});

test('the order of arguments does not make another operation, their values do', () => {
  const hash = (args: Record<string, unknown>) => commandHash({ verb: 'x', instance: ONE, args });
  expect(hash({ a: 1, b: { c: 2, d: 3 } })).toBe(hash({ b: { d: 3, c: 2 }, a: 1 }));
  expect(hash({ a: 1 })).not.toBe(hash({ a: '1' }));
  expect(hash({})).not.toBe(hash({ a: [] }));
});

test('acked outcomes make room; without any, only what stops a machine is taken', () => {
  const all = Array.from({ length: 10 }, () => command('pause'));
  for (const one of all) journal.add(one, at);
  for (const { opId } of all) journal.ended(opId, 2, done);
  expect(throwsCode(() => journal.add(command('start'), at), 'journal-full')).toBe(true);
  expect(journal.add(command('force-off'), { ...at, emergency: true }).state).toBe('planned');
  journal.ack(all[0]?.opId ?? '');
  journal.ack(all[1]?.opId ?? '');
  expect(journal.unacked().length).toBe(8);
  expect(journal.add(command('start'), at).state).toBe('planned');
});

test('an unfinished operation is never acked away, and a reserve lies beside the journal', () => {
  const one = command('pause');
  journal.add(one, at);
  journal.ack(one.opId);
  journal.ended(one.opId, 2, done);
  expect(journal.unacked().length).toBe(1);
  expect(statSync(join(folder, 'journal.sqlite.reserve')).size).toBe(1024 * 1024);
});

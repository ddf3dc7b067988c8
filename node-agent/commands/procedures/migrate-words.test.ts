import { expect, test } from 'vitest';
import type { MigrateArgs } from '../../../common/wire/migration.ts';
import { mustWords } from '../../libvirt/virsh-words.ts';
import { createPace } from './migrate-pace.ts';
import { migrateWords } from './migrate-words.ts';

const URI = 'qemu+tls://h2.example/system';
const args = (change: Partial<MigrateArgs> = {}): MigrateArgs => ({
  ...{ target: 'b', targetName: 'h2', uri: URI, live: true, tunnelled: false, copyStorage: false },
  was: { paused: false, autostart: false },
  ...change,
});

test.each([
  [args(), '--live --p2p --persistent --undefinesource --abort-on-error'],
  [args({ tunnelled: true }), '--live --p2p --tunnelled --persistent --undefinesource --abort-on-error'],
  [args({ live: false, tunnelled: true, maxRateBps: 9e9 }), '--offline --p2p --persistent --undefinesource'],
  [args({ copyStorage: true }), '--live --p2p --persistent --undefinesource --abort-on-error --copy-storage-all'],
  [args({ maxRateBps: 1 }), '--live --p2p --persistent --undefinesource --abort-on-error --bandwidth=1'],
])('says it to virsh in known words', (given, words) => {
  const said = migrateWords(given, URI);
  expect(said.join(' ')).toBe(`migrate ${words} --desturi=${URI}`);
  expect(mustWords(said)).toEqual(said);
});

test.each([
  '--desturi=test:///default',
  '--desturi=qemu+tls://h/system?x=1',
  '--desturi=qemu+tls://h/system;list',
  '--desturi=',
  '--bandwidth=0',
  '--bandwidth=1e9',
  '--downtime=-1',
  '--machine=a b',
  '--machine=--x',
  '--virttype=xen',
  '--unsafe',
  '--postcopy',
])('never says %j', (word) => {
  expect(() => mustWords(['migrate', word])).toThrow(/not sent to virsh/);
});

const job = (rounds: number) => ({
  ...{ elapsedMs: 0, totalBytes: 100, processedBytes: 0, remainingBytes: 50, rateBps: 1, dirtyRateBps: 9 },
  ...{ rounds, downtimeMs: null },
});

test('a short stop first, longer ones while it does not come to an end, then it is given up', () => {
  const pace = createPace({ giveUpMs: 1_000 });
  expect(pace.limitMs).toBe(50);
  const raised: number[] = [];
  let rounds = 1;
  for (; pace.limitMs < 2_000; rounds += 1) {
    const step = pace.step(job(rounds), 0);
    if (step !== null && step !== 'give-up') raised.push(step.raiseToMs);
  }
  expect(raised).toEqual([100, 200, 400, 800, 1_600, 2_000]);
  expect(pace.step(job(rounds), 5_000)).toBeNull();
  expect(pace.step(job(rounds), 5_999)).toBeNull();
  expect(pace.step(job(rounds), 6_000)).toBe('give-up');
});

test('never longer than the caller allows', () => {
  const pace = createPace({ longestMs: 30, giveUpMs: 1_000 });
  expect(pace.limitMs).toBe(30);
  expect(pace.step(job(1), 0)).toBeNull();
  expect(pace.step(job(2), 0)).toBeNull();
  expect(pace.step(job(9), 999)).toBeNull();
  expect(pace.step(job(9), 1_000)).toBe('give-up');
});

import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLedger } from '../../test/support/storm-ledger.ts';
import { runningHash } from './frame.ts';
import { createSpool, type Spool } from './spool.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-spool-age-'));
  path = join(folder, 'spool.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true }));

const EPOCH = 'abcdef0123456789';
const open = () => createSpool({ path, capBytes: 64e6, batchMaxLines: 20, now: Date.now });

function drain(spool: Spool, ledger: ReturnType<typeof createLedger>): void {
  for (const { epoch } of spool.epochs())
    for (;;) {
      const at = ledger.cursors.get(epoch) ?? { epoch, next: 0, hash: '0'.repeat(32) };
      const frames = spool.read({ epoch, from: at.next, hash: at.hash }, 50_000);
      if (frames.length === 0) break;
      for (const { header, body } of frames) ledger.take(header, Buffer.from(body));
    }
}

/** A spool as the first version left it, with lines that wait: text of that time, never to be changed. */
function firstVersion(frames: number): string[] {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.exec(`
    CREATE TABLE format AS SELECT 1 AS no;
    CREATE TABLE epochs (no INTEGER PRIMARY KEY, epoch TEXT NOT NULL, next INTEGER NOT NULL, hash TEXT NOT NULL);
    CREATE TABLE frames (
      key INTEGER PRIMARY KEY, count INTEGER NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL,
      ts0 INTEGER, ts1 INTEGER, gap TEXT, body BLOB
    );
    PRAGMA user_version = 1;`);
  db.prepare('INSERT INTO epochs VALUES (1, ?, 0, ?)').run(EPOCH, '0'.repeat(32));
  const insert = db.prepare('INSERT INTO frames VALUES (?, 2, ?, ?, 1, 2, NULL, ?)');
  let prev = '0'.repeat(32);
  const messages: string[] = [];
  for (let i = 0; i < frames; i += 1) {
    const message = [`0:${2 * i}:old`, `0:${2 * i + 1}:old`];
    const columns = { n: 2, tsMs: [1, 2], level: ['info', 'info'], source: ['agent', 'agent'], message };
    const body = Buffer.from(JSON.stringify(columns));
    const hash = runningHash(prev, body);
    insert.run(2 ** 40 + 2 * i, prev, hash, body);
    prev = hash;
    messages.push(...message);
  }
  db.close();
  return messages;
}

describe('a spool of another version (L17)', () => {
  it('of an older one: its lines are sent, and it goes on', () => {
    const messages = firstVersion(30);
    const ledger = createLedger();
    ledger.spool({ epoch: EPOCH, first: 0, messages });
    const spool = open();
    expect(spool.epochs()).toEqual([{ epoch: EPOCH, first: 0, next: 60 }]);
    spool.append({ tsMs: 3, level: 'info', source: 'agent', message: '0:60:new' }, { name: 'file:a', value: '1' });
    spool.flush();
    drain(spool, ledger);
    spool.close();
    expect([ledger.check(), ledger.gaps, ledger.counts().stored]).toEqual([[], [], 61]);
  });

  it('of a newer one: refused in words, and left as it is', () => {
    firstVersion(3);
    const db = new Database(path);
    db.exec('UPDATE format SET no = 2; PRAGMA user_version = 2');
    db.close();
    const before = readFileSync(path);
    expect(open).toThrow(/newer version of WebVirt \(format 2\)/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

// The body of the file itself is damaged in damage.test.ts.
describe('the log and the mark of a spool that are damaged (L16)', () => {
  const whole = (end: string) => join(folder, `whole${end}`);
  const ENDS = ['', '-wal', '.mark'];

  it.each([
    ['-wal', 25],
    ['.mark', 10],
  ] as const)(
    'bits, cuts and zeros anywhere in %s: it starts, nothing altered comes out, what is lost is declared',
    (end, rounds) => {
      const spool = open();
      const messages: string[] = [];
      for (let i = 0; i < 600; i += 1) {
        messages.push(`0:${i}:${'x'.repeat(i % 300)}`);
        spool.append({ tsMs: i, level: 'info', source: 'file', message: messages[i]! });
        if (i % 20 === 19) spool.flush();
      }
      spool.flush();
      const { epoch } = spool.epochs()[0]!;
      // A copy taken while it runs is what a kill leaves.
      for (const one of ENDS) copyFileSync(`${path}${one}`, whole(one));
      spool.close();
      let random = 7;
      const next = (below: number) => {
        random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
        return random % below;
      };
      let declared = 0;
      for (let round = 0; round < rounds; round += 1) {
        for (const one of ['', '-wal', '-shm', '.mark', '.reserve']) rmSync(`${path}${one}`, { force: true });
        for (const one of ENDS) copyFileSync(whole(one), `${path}${one}`);
        const bytes = readFileSync(`${path}${end}`);
        const at = next(statSync(`${path}${end}`).size);
        if (round % 3 === 0) bytes[at]! ^= 1 << (at % 8);
        else if (round % 3 === 1) bytes.fill(0, at, Math.min(bytes.length, at + 512));
        writeFileSync(`${path}${end}`, round % 3 === 2 ? bytes.subarray(0, at) : bytes);
        const ledger = createLedger();
        ledger.spool({ epoch, first: 0, messages });
        const again = open();
        again.append({ tsMs: 0, level: 'info', source: 'file', message: 'after' });
        again.flush();
        drain(again, ledger);
        again.close();
        // With an end of the log that was never there nothing names the epoch: then nothing false comes out.
        expect(ledger.cursors.has(epoch) ? ledger.check() : ledger.faults, `round ${round}`).toEqual([]);
        declared += ledger.gaps.length;
        if (end === '.mark') expect([ledger.gaps, ledger.counts().stored]).toEqual([[], 601]);
      }
      if (end === '-wal') expect(declared).toBeGreaterThan(5);
    },
  );
});

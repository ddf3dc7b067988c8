import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLedger } from '../../test/support/storm-ledger.ts';
import { createSpool, type Spool } from './spool.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-damage-'));
  path = join(folder, 'spool.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => createSpool({ path, capBytes: 64e6, batchMaxLines: 20, now: Date.now });

/** Writes lines and tells the ledger. Returns the spool, open. */
function fill(lines: number, ledger = createLedger()) {
  const spool = open();
  tell(spool, ledger);
  for (let i = 0; i < lines; i += 1) {
    spool.append({ tsMs: i, level: 'info', source: 'file', message: `0:${i}:${'x'.repeat(i % 300)}` });
    if (i % 20 === 19) spool.flush();
  }
  spool.flush();
  return { spool, ledger };
}

function tell(spool: Spool, ledger: ReturnType<typeof createLedger>): void {
  spool.onSpooled((frames) => {
    for (const { header, body } of frames)
      ledger.spool({ ...header, messages: JSON.parse(Buffer.from(body).toString()).message });
  });
}

/** Sends all that waits to the ledger's store, as the link does. */
function drain(spool: Spool, ledger: ReturnType<typeof createLedger>): void {
  for (const { epoch } of spool.epochs()) {
    for (;;) {
      const at = ledger.cursors.get(epoch) ?? { next: 0, hash: '0'.repeat(32) };
      const frames = spool.read({ epoch, from: at.next, hash: at.hash }, 50_000);
      if (frames.length === 0) break;
      for (const { header, body } of frames) ledger.take(header, Buffer.from(body));
    }
  }
}

/** Opens the damaged spool, writes on, drains, and checks that every lost number was declared. */
function survive(ledger: ReturnType<typeof createLedger>) {
  const spool = open();
  tell(spool, ledger);
  spool.append({ tsMs: 0, level: 'info', source: 'file', message: 'after' });
  spool.flush();
  drain(spool, ledger);
  spool.flush();
  drain(spool, ledger);
  spool.close();
  return ledger.check();
}

describe('spool with a damaged file', () => {
  test('an altered body is found when it is read, and only its lines become a gap', () => {
    const { spool, ledger } = fill(200);
    spool.close();
    const db = new Database(path);
    const row = db.prepare('SELECT key, body FROM frames LIMIT 1 OFFSET 4').get() as { key: number; body: Buffer };
    row.body[50]! ^= 1;
    db.prepare('UPDATE frames SET body = ? WHERE key = ?').run(row.body, row.key);
    db.close();
    expect(survive(ledger)).toEqual([]);
    expect(ledger.gaps).toMatchObject([{ from: 80, to: 99, reason: 'damaged', bytes: row.body.length }]);
  });

  test.each([
    ['count', 'UPDATE frames SET count = 7 WHERE key = @key'],
    ['prev', "UPDATE frames SET prev = '0123456789abcdef0123456789abcdef' WHERE key = @key"],
    ['hash', "UPDATE frames SET hash = '0123456789abcdef0123456789abcdef' WHERE key = @key"],
    ['number', 'UPDATE frames SET key = key + 3 WHERE key = @key'],
    ['far number', 'UPDATE frames SET key = key + 100000 WHERE key = @key'],
    ['row gone', 'DELETE FROM frames WHERE key = @key'],
    ['not a gap', "UPDATE frames SET gap = '{' WHERE key = @key"],
    ['tail gone', 'DELETE FROM frames WHERE key >= @key'],
    ['all gone', 'DELETE FROM frames'],
    ['all epochs gone', 'DELETE FROM epochs'],
  ])('an altered row (%s) is declared at the start', (what, statement) => {
    const { spool, ledger } = fill(200);
    spool.close();
    const db = new Database(path);
    const key = db.prepare('SELECT key FROM frames LIMIT 1 OFFSET 4').pluck().get();
    db.prepare(statement).run(statement.includes('@key') ? { key } : {});
    db.close();
    const found = survive(ledger);
    const lost = ledger.gaps.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0);
    if (what === 'all epochs gone') expect(found.length).toBe(200);
    else expect(found).toEqual([]);
    if (!what.includes('gone')) expect(lost).toBeLessThanOrEqual(40);
  });

  test('a write-ahead log whose tail is gone is noticed by the mark: no number is used twice', () => {
    const { spool, ledger } = fill(200);
    // A copy taken while it runs is what a kill leaves: the log is not folded in yet.
    const wal = readFileSync(`${path}-wal`);
    const files = ['', '.mark'].map((end) => readFileSync(`${path}${end}`));
    spool.close();
    writeFileSync(path, files[0]!);
    writeFileSync(`${path}.mark`, files[1]!);
    writeFileSync(`${path}-wal`, wal.subarray(0, Math.floor(wal.length / 2)));
    expect(survive(ledger)).toEqual([]);
    expect(ledger.gaps.length).toBe(1);
    expect(ledger.gaps[0]).toMatchObject({ to: 199, reason: 'damaged' });
  });

  test.each([
    ['cut to nothing', (file: string) => truncateSync(file, 0)],
    ['cut in the middle', (file: string) => truncateSync(file, 20_000)],
    ['not a database', (file: string) => writeFileSync(file, 'hello '.repeat(10_000))],
    ['header zeroed', (file: string) => overwrite(file, 0, 100)],
    ['header half altered', (file: string) => overwrite(file, 60, 4)],
    ['schema page zeroed', (file: string) => overwrite(file, 100, 3_000)],
  ])('a file that is %s is set aside; the spool starts and goes on', (_what, harm) => {
    const { spool, ledger } = fill(400);
    spool.close();
    harm(path);
    const again = open();
    tell(again, ledger);
    again.append({ tsMs: 0, level: 'info', source: 'file', message: 'after' });
    again.flush();
    drain(again, ledger);
    again.close();
    expect(ledger.faults).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  test('zeroed and flipped pages anywhere: it starts, it drains, nothing altered comes out, lost lines are declared', () => {
    const { spool } = fill(600);
    const { epoch } = spool.epochs()[0]!;
    const messages = spool
      .read({ epoch, from: 0 }, 1e9)
      .flatMap(({ body }) => JSON.parse(Buffer.from(body).toString()).message as string[]);
    spool.close();
    const ends = ['', '.mark'];
    for (const end of ends) copyFileSync(`${path}${end}`, join(folder, `whole${end}`));
    const size = readFileSync(path).length;
    const next = randomBelow(42);
    let kept = 0;
    for (let round = 0; round < 60; round += 1) {
      for (const name of readdirSync(folder)) if (!name.startsWith('whole')) rmSync(join(folder, name));
      for (const end of ends) copyFileSync(join(folder, `whole${end}`), `${path}${end}`);
      if (round % 3 === 0) overwrite(path, next(size - 512), 512);
      else flip(path, next(size));
      const ledger = createLedger();
      ledger.spool({ epoch, first: 0, messages });
      const found = survive(ledger);
      // Where not even the name of the epoch could be read, nothing of it can be declared; nothing false comes out.
      if (ledger.cursors.has(epoch)) kept += 1;
      expect(ledger.cursors.has(epoch) ? found : ledger.faults, `round ${round}`).toEqual([]);
    }
    expect(kept).toBeGreaterThan(50);
  });
});

function randomBelow(seed: number): (below: number) => number {
  let random = seed;
  return (below) => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return random % below;
  };
}

function overwrite(file: string, at: number, length: number): void {
  const bytes = readFileSync(file);
  bytes.fill(0, at, at + length);
  writeFileSync(file, bytes);
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1 << (at % 8);
  writeFileSync(file, bytes);
}

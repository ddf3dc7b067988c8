import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildChild, type ChildProgram, startChild } from '../../../test/support/child-program.ts';
import { MIGRATIONS, migrate } from './migrations.ts';
import { openStateStore } from './open.ts';

let program: ChildProgram;
const dir = mkdtempSync(join(tmpdir(), 'webvirt-migrate-'));
beforeAll(async () => {
  program = await buildChild('test/support/store-child.ts');
});
afterAll(() => {
  program.remove();
  rmSync(dir, { recursive: true });
});

/** A file as an earlier program left it: with a host, and with its log not worked in. */
function earlier(path: string, version: number): void {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  if (version > 0) {
    migrate(db, path, 1, MIGRATIONS.slice(0, version));
    db.prepare('INSERT INTO hosts VALUES (?, ?)').run('h1', '{"id":"h1"}');
  }
  db.close();
}

/** What the file says of itself, and whether the tables are those of that version and of no other. */
function found(path: string): { version: number; isWhole: boolean; integrity: unknown } {
  const db = new Database(path);
  const names = (from: Database.Database) =>
    from.prepare("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name").pluck().all().join();
  const hasAny = names(db) !== '';
  const version = hasAny ? (db.prepare('SELECT max(version) FROM migrations').pluck().get() as number) : 0;
  const fresh = new Database(':memory:');
  if (version > 0) migrate(fresh, ':memory:', 1, MIGRATIONS.slice(0, version));
  const isWhole = names(db) === names(fresh);
  const integrity = db.pragma('integrity_check', { simple: true });
  for (const one of [db, fresh]) one.close();
  return { version, isWhole, integrity };
}

describe('a manager that is killed while it brings its state to a newer schema (L3, M7)', () => {
  // An empty file, and the one before.
  it.each([0, MIGRATIONS.length - 1])(
    'from version %i, at each point: a whole version is left, and the next start goes on from there',
    async (from) => {
      let pass = 1;
      for (; ; pass += 1) {
        const path = join(dir, `from-${from}-${pass}.sqlite`);
        earlier(path, from);
        const { ended } = startChild(program, { state: path, kill: { at: 'M7', pass } });
        const how = await ended;
        const left = found(path);
        expect(left).toMatchObject({ isWhole: true, integrity: 'ok' });
        // Two points for each step: inside its transaction, and behind it.
        expect(left.version).toBe(how === '0' ? MIGRATIONS.length : from + Math.floor(pass / 2));
        const store = openStateStore(path);
        expect(store.hosts.list().map(({ id }) => id)).toEqual(from === 0 ? [] : ['h1']);
        store.close();
        expect(found(path).version).toBe(MIGRATIONS.length);
        if (how === '0') break;
        expect(how).toBe('SIGKILL');
      }
      expect(pass).toBe(2 * (MIGRATIONS.length - from) + 1);
    },
  );
});

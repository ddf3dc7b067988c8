// Turns files back to the form that the first versions of the programs gave them, with all that is in them, so that a
// test can bring real data up again. The text of those versions never changes.
import { rmSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import Database from 'better-sqlite3';
import type { EpochCursor } from '../../common/wire/link.ts';
import { openLineStore } from '../../manager/store/duckdb/open.ts';
import { MIGRATIONS, migrate } from '../../manager/store/sqlite/migrations.ts';

/** The manager's state, to the schema of that number. */
export function setBackState(path: string, version: number): void {
  const then = new Database(':memory:');
  migrate(then, ':memory:', 0, MIGRATIONS.slice(0, version));
  const names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
  const old = new Set(then.prepare(names).pluck().all());
  then.close();
  const db = new Database(path);
  for (const name of db.prepare(names).pluck().all()) if (!old.has(name)) db.exec(`DROP TABLE ${name}`);
  db.prepare('DELETE FROM migrations WHERE version > ?').run(version);
  db.close();
}

/** The agent's spool, to the time before it kept the places of sources. */
export function setBackSpool(path: string): void {
  const db = new Database(path);
  db.exec('DROP TABLE places');
  db.close();
}

const FIRST_LINES = `
  CREATE TABLE meta (name VARCHAR, value BIGINT);
  CREATE TABLE lines (
    ordinal BIGINT, sort_ms BIGINT, ts_ms BIGINT, received_ms BIGINT, seq BIGINT, level UTINYINT, source UTINYINT,
    agent VARCHAR, epoch VARCHAR, host VARCHAR, host_name VARCHAR,
    unit VARCHAR, instance VARCHAR, job VARCHAR, session VARCHAR, message VARCHAR, fields VARCHAR);
  CREATE TABLE ledger (
    first BIGINT, next BIGINT, ordinal BIGINT, line_count BIGINT, received_ms BIGINT,
    agent VARCHAR, epoch VARCHAR, hash VARCHAR);
  CREATE TABLE samples (ts_ms BIGINT, host BOOLEAN, id VARCHAR, cpu_ratio DOUBLE, memory_used_bytes DOUBLE);
  INSERT INTO meta VALUES ('schema', 1)`;

/** What one epoch of one agent left: lines 0 up to the cursor. */
export interface FirstEpoch {
  agent: string;
  cursor: EpochCursor;
  messages: string[];
}

/** Makes a file of lines as the first version did: nothing sealed, names in every line. */
export async function writeFirstLines(path: string, epochs: readonly FirstEpoch[], nowMs: number): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(FIRST_LINES);
  let ordinal = 1;
  for (const { agent, cursor, messages } of epochs) {
    const { epoch, next, hash } = cursor;
    const values = [agent, epoch, agent, JSON.stringify(messages)];
    await connection.run(
      `INSERT INTO lines SELECT ${ordinal} + i, ${nowMs}, ${nowMs}, ${nowMs}, i, 2, 1, ?, ?, ?, 'One',
         NULL, NULL, NULL, NULL, json_extract_string(CAST(? AS JSON), '$[' || i || ']'), NULL
       FROM range(${messages.length}) t(i)`,
      values,
    );
    const ledger = `INSERT INTO ledger VALUES (0, ${next}, ${ordinal}, ${messages.length}, ${nowMs}, ?, ?, ?)`;
    await connection.run(ledger, [agent, epoch, hash]);
    ordinal += messages.length;
  }
  connection.closeSync();
  instance.closeSync();
}

/** Writes a file of lines anew as the first version would have it. It may hold no gap. */
export async function setBackLines(path: string, agents: readonly string[]): Promise<void> {
  const { lines, close } = await openLineStore(path);
  const stored = (await lines.since({}, 0, 1e6)).lines;
  const epochs: FirstEpoch[] = [];
  for (const agent of agents)
    for (const cursor of await lines.cursors(agent)) {
      const own = stored.filter(({ id }) => id.startsWith(`${agent}.${cursor.epoch}.`));
      epochs.push({ agent, cursor, messages: own.map(({ message }) => message) });
    }
  await close();
  for (const end of ['', '.wal']) rmSync(`${path}${end}`, { force: true });
  await writeFirstLines(path, epochs, Date.now());
}

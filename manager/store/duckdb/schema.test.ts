import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, it } from 'vitest';
import { writeFirstLines } from '../../../test/support/older-files.ts';
import { batch, EPOCH, NOW, numbered } from './batch.testing.ts';
import { openLineStore } from './open.ts';

const dir = mkdtempSync(join(tmpdir(), 'webvirt-schema-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What the second version had beside the first: a table of lines that was being sealed when it ended. */
const SECOND = `
  CREATE TABLE segments (
    id BIGINT, file VARCHAR, bytes BIGINT, line_count BIGINT, min_sort_ms BIGINT, max_sort_ms BIGINT,
    min_received_ms BIGINT, max_received_ms BIGINT, min_ordinal BIGINT, max_ordinal BIGINT);
  UPDATE meta SET value = 2 WHERE name = 'schema';
  INSERT INTO meta VALUES ('layout', 7), ('sealing', 1), ('segment', 3);
  CREATE TABLE lines_sealing AS FROM lines WHERE ordinal <= 2;
  DELETE FROM lines WHERE ordinal <= 2`;

it('numbers the origins of lines of the second version, those that were being sealed too', async () => {
  const path = join(dir, 'second.duckdb');
  const cursor = (next: number, epoch: string) => ({ epoch, next, hash: 'f'.repeat(32) });
  const epochs = [
    { agent: 'a1', cursor: cursor(3, EPOCH), messages: ['m0', 'm1', 'm2'] },
    { agent: 'a2', cursor: cursor(1, 'd'.repeat(16)), messages: ['other'] },
  ];
  await writeFirstLines(path, epochs, NOW);
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(SECOND);
  connection.closeSync();
  instance.closeSync();
  const store = await openLineStore(path, { sealAfterMs: Infinity });
  await store.lines.append([batch(3, numbered(3, 2), { host: 'a1', hostName: 'renamed' })]);
  const whole = async () =>
    (await store.lines.since({}, 0, 99)).lines.map(({ id, host, hostName, message }) => [id, host, hostName, message]);
  const expected = [
    [`a1.${EPOCH}.0`, 'a1', 'One', 'm0'],
    [`a1.${EPOCH}.1`, 'a1', 'One', 'm1'],
    [`a1.${EPOCH}.2`, 'a1', 'One', 'm2'],
    [`a2.${'d'.repeat(16)}.0`, 'a2', 'One', 'other'],
    [`a1.${EPOCH}.3`, 'a1', 'renamed', 'm3'],
    [`a1.${EPOCH}.4`, 'a1', 'renamed', 'm4'],
  ];
  expect(await whole()).toEqual(expected);
  await store.seal();
  expect(await whole()).toEqual(expected);
  expect((await store.lines.stats()).unsealedLines).toBe(0);
  await store.close();
});

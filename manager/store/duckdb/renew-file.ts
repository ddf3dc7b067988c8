import { stat } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { finishFile, removeFile, sizeOf, unfinished } from './durable-file.ts';
import type { MendPoint } from './sealer.ts';
import { quotedText } from './sql-text.ts';

const MEMORY = '256MiB';

/**
 * Writes a database file anew, without the room that is free in it: a file never gets smaller by itself. It must be closed,
 * with nothing left in its log; the new one takes its name when it is on the disk in full. Answers the bytes that were freed.
 */
export async function renewFile(path: string, failpoint: (name: MendPoint) => void): Promise<number> {
  if ((await sizeOf(`${path}.wal`)) > 0) throw new Error('the file was not closed: its log is not empty');
  const before = (await stat(path)).size;
  const to = unfinished(path);
  await removeUnfinished(path);
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: MEMORY });
  try {
    const connection = await instance.connect();
    try {
      await connection.run(`ATTACH ${quotedText(path)} AS before (READ_ONLY)`);
      await connection.run(`ATTACH ${quotedText(to)} AS renewed`);
      await connection.run('COPY FROM DATABASE before TO renewed');
      await connection.run('CHECKPOINT renewed');
      await connection.run('DETACH renewed');
      await connection.run('DETACH before');
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
  if ((await sizeOf(`${to}.wal`)) > 0) throw new Error('the new file has a log of its own');
  failpoint('G4');
  const after = await finishFile(path);
  failpoint('G5');
  return before - after;
}

/** What a kill left of it. */
export async function removeUnfinished(path: string): Promise<void> {
  await removeFile(unfinished(path));
  await removeFile(`${unfinished(path)}.wal`);
}

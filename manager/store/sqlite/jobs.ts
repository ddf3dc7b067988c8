import type { Database } from 'better-sqlite3';
import type { JobStore, StoredJob } from '../ports.ts';
import { readDocument, readDocuments } from './document.ts';

/** The journal of jobs. A row is on disk before a call returns: the file is synced at each commit. */
export function createJobStore(db: Database): JobStore {
  const insert = db.prepare(
    `INSERT INTO jobs (id, created_ms, state, instance, host, doc) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const update = db.prepare('UPDATE jobs SET state = ?, instance = ?, host = ?, doc = ? WHERE id = ?');
  const get = db.prepare('SELECT doc FROM jobs WHERE id = ?');
  const list = db.prepare(
    `SELECT doc FROM jobs WHERE (@beforeMs IS NULL OR created_ms < @beforeMs) AND (@instance IS NULL OR instance = @instance)
       AND (@host IS NULL OR host = @host OR doc ->> '$.target' = @host) AND (@state IS NULL OR state = @state)
     ORDER BY created_ms DESC, rowid DESC LIMIT @limit`,
  );
  const unfinished = db.prepare(
    "SELECT doc FROM jobs WHERE state IN ('planned', 'running') ORDER BY created_ms, rowid",
  );
  const removeEnded = db.prepare("DELETE FROM jobs WHERE created_ms < ? AND state NOT IN ('planned', 'running')");
  const fence = db.prepare(
    `INSERT INTO fences (instance, fence) VALUES (?, 1)
     ON CONFLICT (instance) DO UPDATE SET fence = fence + 1 RETURNING fence`,
  );
  return {
    insert(job) {
      const { changes } = insert.run(
        job.id,
        Math.round(job.createdMs),
        job.state,
        job.instance,
        job.host,
        JSON.stringify(job),
      );
      if (changes === 1) return { inserted: true, job };
      return { inserted: false, job: readDocument<StoredJob>(get.get(job.id)) ?? job };
    },
    update: (job) => void update.run(job.state, job.instance, job.host, JSON.stringify(job), job.id),
    get: (id) => readDocument<StoredJob>(get.get(id)),
    list: ({ limit, beforeMs, instance, host, state }) =>
      readDocuments<StoredJob>(
        list.all({
          limit,
          beforeMs: beforeMs ?? null,
          instance: instance ?? null,
          host: host ?? null,
          state: state ?? null,
        }),
      ),
    unfinished: () => readDocuments<StoredJob>(unfinished.all()),
    removeEnded: (beforeMs) => removeEnded.run(Math.round(beforeMs)).changes,
    nextFence: (instance) => (fence.get(instance) as { fence: number }).fence,
  };
}

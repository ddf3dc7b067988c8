import type { Database } from 'better-sqlite3';
import type { AgentInstance } from '../../../common/model/instance.ts';
import type { InstanceStore } from '../ports.ts';

/** Last known state of every instance, by host: an instance that migrates is on both hosts for a moment. */
export function createInstanceStore(db: Database): InstanceStore {
  const list = db.prepare('SELECT host, changed_ms AS changedMs, doc FROM instances ORDER BY host, id');
  const put = db.prepare(
    `INSERT INTO instances (host, id, changed_ms, doc) VALUES (?, ?, ?, ?)
     ON CONFLICT (host, id) DO UPDATE SET changed_ms = excluded.changed_ms, doc = excluded.doc`,
  );
  const remove = db.prepare('DELETE FROM instances WHERE host = ? AND id = ?');
  return {
    list: () =>
      (list.all() as { host: string; changedMs: number; doc: string }[]).map((row) => ({
        host: row.host,
        instance: JSON.parse(row.doc) as AgentInstance,
        changedMs: row.changedMs,
      })),
    put: (host, instance, changedMs) =>
      void put.run(host, instance.id, Math.round(changedMs), JSON.stringify(instance)),
    remove: (host, id) => void remove.run(host, id),
  };
}

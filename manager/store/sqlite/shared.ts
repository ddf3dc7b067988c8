import type { Database } from 'better-sqlite3';
import type { SharedVersion, SharedVersionStore } from '../ports/shared.ts';

/** How long it is remembered that something was removed: a manager that was away for less does not bring it back. */
const KEPT_GONE_MS = 90 * 86_400_000;

/** Which version of each shared document is here. */
export function createSharedVersionStore(db: Database): SharedVersionStore {
  const columns = 'kind, id, version_ms AS versionMs, writer, gone';
  const get = db.prepare(`SELECT ${columns} FROM shared WHERE kind = ? AND id = ?`);
  const gone = db.prepare(`SELECT ${columns} FROM shared WHERE gone = 1`);
  const put = db.prepare(
    `INSERT INTO shared (kind, id, version_ms, writer, gone) VALUES (@kind, @id, @versionMs, @writer, @gone)
     ON CONFLICT (kind, id) DO UPDATE SET version_ms = excluded.version_ms, writer = excluded.writer, gone = excluded.gone`,
  );
  const trim = db.prepare('DELETE FROM shared WHERE gone = 1 AND version_ms < ?');
  const read = (row: unknown) => {
    const found = row as Omit<SharedVersion, 'gone'> & { gone: number };
    return { ...found, gone: found.gone === 1 };
  };
  return {
    get(kind, id) {
      const row = get.get(kind, id);
      return row === undefined ? null : read(row);
    },
    gone: () => gone.all().map(read),
    put(version) {
      put.run({ ...version, gone: version.gone ? 1 : 0 });
      if (version.gone) trim.run(version.versionMs - KEPT_GONE_MS);
    },
  };
}

import type { Database } from 'better-sqlite3';
import type { SavedSearch } from '../../../common/model/search.ts';
import type { SearchStore } from '../ports.ts';
import { readDocument, readDocuments } from './document.ts';

/** Two names that people would read as one are one. */
const keyOf = (name: string) => name.normalize('NFC').toLowerCase();

/** Saved searches. A name is there once for each owner: the table itself refuses a second one. */
export function createSearchStore(db: Database): SearchStore {
  const visible = db.prepare('SELECT doc FROM searches WHERE owner = ? OR shared = 1 ORDER BY name_key, owner');
  const all = db.prepare('SELECT doc FROM searches');
  const get = db.prepare('SELECT doc FROM searches WHERE id = ?');
  const put = db.prepare(
    `INSERT INTO searches (id, owner, name_key, shared, doc) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name_key = excluded.name_key, shared = excluded.shared, doc = excluded.doc`,
  );
  const remove = db.prepare('DELETE FROM searches WHERE id = ?');
  return {
    all: () => readDocuments<SavedSearch>(all.all()),
    visible: (owner) => readDocuments<SavedSearch>(visible.all(owner)),
    get: (id) => readDocument<SavedSearch>(get.get(id)),
    put(search) {
      try {
        put.run(search.id, search.owner, keyOf(search.name), search.shared ? 1 : 0, JSON.stringify(search));
        return true;
      } catch (error) {
        if ((error as { code?: string }).code === 'SQLITE_CONSTRAINT_UNIQUE') return false;
        throw error;
      }
    },
    remove: (id) => void remove.run(id),
  };
}

import type { Database } from 'better-sqlite3';
import type { DestinationStore, StoredDestination } from '../ports/alerts.ts';
import { readDocument, readDocuments } from './document.ts';

/** Where people are told. Keys and addresses of hooks are inside: the file is readable by its owner alone. */
export function createDestinationStore(db: Database): DestinationStore {
  const list = db.prepare('SELECT doc FROM destinations ORDER BY rowid');
  const get = db.prepare('SELECT doc FROM destinations WHERE id = ?');
  const put = db.prepare(
    'INSERT INTO destinations (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc',
  );
  const remove = db.prepare('DELETE FROM destinations WHERE id = ?');
  return {
    list: () => readDocuments<StoredDestination>(list.all()),
    get: (id) => readDocument<StoredDestination>(get.get(id)),
    put: (destination) => void put.run(destination.id, JSON.stringify(destination)),
    remove: (id) => remove.run(id).changes === 1,
  };
}

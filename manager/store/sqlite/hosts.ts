import type { Database } from 'better-sqlite3';
import type { HostStore, StoredHost } from '../ports.ts';
import { readDocument, readDocuments } from './document.ts';

/** Enrolled hosts, revoked ones included. */
export function createHostStore(db: Database): HostStore {
  const list = db.prepare('SELECT doc FROM hosts ORDER BY id');
  const get = db.prepare('SELECT doc FROM hosts WHERE id = ?');
  const put = db.prepare('INSERT INTO hosts (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc');
  return {
    list: () => readDocuments<StoredHost>(list.all()),
    get: (id) => readDocument<StoredHost>(get.get(id)),
    put: (host) => void put.run(host.id, JSON.stringify(host)),
  };
}

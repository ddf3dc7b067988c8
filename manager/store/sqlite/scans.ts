import type { Database } from 'better-sqlite3';
import type { Scan } from '../../../common/model/discovery.ts';
import type { ScanStore } from '../ports.ts';
import { readDocument, readDocuments } from './document.ts';

/** Scans run for ever on their schedules: only this many are remembered. */
const KEPT_SCANS = 1_000;

/** Scans and their results, the newest first (in the order in which they were first put). */
export function createScanStore(db: Database): ScanStore {
  const list = db.prepare('SELECT doc FROM scans ORDER BY rowid DESC LIMIT ?');
  const get = db.prepare('SELECT doc FROM scans WHERE id = ?');
  const put = db.prepare('INSERT INTO scans (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc');
  const trim = db.prepare('DELETE FROM scans WHERE rowid <= (SELECT max(rowid) FROM scans) - ?');
  const putAndTrim = db.transaction((scan: Scan) => {
    put.run(scan.id, JSON.stringify(scan));
    trim.run(KEPT_SCANS);
  });
  return {
    list: (limit) => readDocuments<Scan>(list.all(limit)),
    get: (id) => readDocument<Scan>(get.get(id)),
    put: (scan) => putAndTrim.immediate(scan),
  };
}

import type { Database } from 'better-sqlite3';
import type { Candidate } from '../../../common/model/discovery.ts';
import type { CandidateStore } from '../ports.ts';
import { readDocument, readDocuments } from './document.ts';

/** The inbox of agents that scans found, the ones seen last first. */
export function createCandidateStore(db: Database): CandidateStore {
  const list = db.prepare('SELECT doc FROM candidates ORDER BY last_seen_ms DESC, id');
  const get = db.prepare('SELECT doc FROM candidates WHERE id = ?');
  const put = db.prepare(
    `INSERT INTO candidates (id, last_seen_ms, doc) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET last_seen_ms = excluded.last_seen_ms, doc = excluded.doc`,
  );
  const remove = db.prepare('DELETE FROM candidates WHERE id = ?');
  return {
    list: () => readDocuments<Candidate>(list.all()),
    get: (id) => readDocument<Candidate>(get.get(id)),
    put: (candidate) => void put.run(candidate.id, Math.round(candidate.lastSeenMs), JSON.stringify(candidate)),
    remove: (id) => void remove.run(id),
  };
}

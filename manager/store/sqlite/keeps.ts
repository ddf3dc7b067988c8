import type { Database } from 'better-sqlite3';
import type { KeepMark } from '../../../common/model/search.ts';
import type { KeepStore } from '../ports.ts';
import { readDocument, readDocuments } from './document.ts';

/** Marks of times whose lines are kept. */
export function createKeepStore(db: Database): KeepStore {
  const list = db.prepare('SELECT doc FROM keeps ORDER BY created_ms DESC, id');
  const get = db.prepare('SELECT doc FROM keeps WHERE id = ?');
  const put = db.prepare(
    `INSERT INTO keeps (id, created_ms, from_ms, to_ms, doc) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET from_ms = excluded.from_ms, to_ms = excluded.to_ms, doc = excluded.doc`,
  );
  const remove = db.prepare('DELETE FROM keeps WHERE id = ?');
  const ranges = db.prepare('SELECT from_ms AS fromMs, to_ms AS toMs FROM keeps ORDER BY from_ms');
  return {
    list: () => readDocuments<KeepMark>(list.all()),
    get: (id) => readDocument<KeepMark>(get.get(id)),
    put: (mark) =>
      void put.run(
        mark.id,
        Math.round(mark.createdMs),
        Math.floor(mark.fromMs),
        Math.ceil(mark.toMs),
        JSON.stringify(mark),
      ),
    remove: (id) => void remove.run(id),
    ranges: () => joined(ranges.all() as { fromMs: number; toMs: number }[]),
  };
}

function joined(sorted: { fromMs: number; toMs: number }[]): { fromMs: number; toMs: number }[] {
  const out: { fromMs: number; toMs: number }[] = [];
  for (const range of sorted) {
    const last = out.at(-1);
    if (last !== undefined && range.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, range.toMs);
    else out.push({ ...range });
  }
  return out;
}

import type { Database } from 'better-sqlite3';
import type { DeliveryStore, StoredDelivery } from '../ports/alerts.ts';
import { readDocuments } from './document.ts';
import { readDelivery, rowOf } from './rules.ts';

/** Messages to destinations: each is a job that outlives the manager. They are made together with their event. */
export function createDeliveryStore(db: Database): DeliveryStore {
  const get = db.prepare('SELECT doc FROM deliveries WHERE id = ?');
  const list = db.prepare(
    `SELECT doc FROM deliveries WHERE (@state IS NULL OR state = @state) AND (@rule IS NULL OR rule = @rule
       OR (doc ->> 'otherRules' > 0 AND instr(doc, '"' || @rule || '"') > 0))
       AND (@before IS NULL OR n < (SELECT n FROM deliveries WHERE id = @before)) ORDER BY n DESC LIMIT @limit`,
  );
  const waiting = db.prepare(
    "SELECT doc FROM deliveries WHERE state = 'waiting' AND destination = ? ORDER BY next_try_ms, n LIMIT ?",
  );
  const due = db.prepare(
    `SELECT destination, min(next_try_ms) AS nextTryMs FROM deliveries WHERE state = 'waiting' GROUP BY destination`,
  );
  const countWaiting = db.prepare("SELECT count(*) AS count FROM deliveries WHERE state = 'waiting'");
  const update = db.prepare(
    'UPDATE deliveries SET state = @state, next_try_ms = @nextTryMs, doc = @doc WHERE id = @id',
  );
  return {
    get: (id) => readDelivery(get.get(id)),
    list: ({ limit, state, rule, before }) =>
      readDocuments<StoredDelivery>(
        list.all({ limit, state: state ?? null, rule: rule ?? null, before: before ?? null }),
      ),
    waiting: (destination, limit) => readDocuments<StoredDelivery>(waiting.all(destination, limit)),
    due: () => due.all() as { destination: string; nextTryMs: number }[],
    countWaiting: () => (countWaiting.get() as { count: number }).count,
    update(delivery) {
      const { id, state, nextTryMs, doc } = rowOf(delivery);
      update.run({ id, state, nextTryMs, doc });
    },
  };
}

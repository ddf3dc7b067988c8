import type { Database } from 'better-sqlite3';
import type { RuleEvent } from '../../../common/model/rule.ts';
import type { AlertWrite, RulePosition, RuleStore, StoredDelivery, StoredRule } from '../ports/alerts.ts';
import { readDocument, readDocuments } from './document.ts';

/** The history keeps this many events of all rules, and so many deliveries that have ended. */
const KEPT_EVENTS = 20_000;
const KEPT_DELIVERIES = 20_000;
/** A group that is null and one that is called so must not be the same row. */
const keyOf = (group: string | null) => (group === null ? '' : `=${group}`);
const groupOf = (key: string) => (key === '' ? null : key.slice(1));

/** Rules, what they count and what happened. What happened is written with the position it was seen at. */
export function createRuleStore(db: Database): RuleStore {
  const list = db.prepare('SELECT doc FROM rules ORDER BY rowid');
  const put = db.prepare('INSERT INTO rules (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc');
  const removeRule = db.prepare('DELETE FROM rules WHERE id = ?');
  const position = db.prepare(
    'SELECT rule, position, last_fired_ms AS lastFiredMs, places FROM rule_positions WHERE rule = ?',
  );
  const putPosition = db.prepare(
    `INSERT INTO rule_positions (rule, position, last_fired_ms, places) VALUES (@rule, @position, @lastFiredMs, @places)
     ON CONFLICT (rule) DO UPDATE SET position = excluded.position, last_fired_ms = excluded.last_fired_ms,
       places = excluded.places`,
  );
  const removePosition = db.prepare('DELETE FROM rule_positions WHERE rule = ?');
  const watches = db.prepare('SELECT grp, doc FROM rule_watches WHERE rule = ?');
  const putWatch = db.prepare(
    'INSERT INTO rule_watches (rule, grp, doc) VALUES (?, ?, ?) ON CONFLICT (rule, grp) DO UPDATE SET doc = excluded.doc',
  );
  const removeWatch = db.prepare('DELETE FROM rule_watches WHERE rule = ? AND grp = ?');
  const removeWatches = db.prepare('DELETE FROM rule_watches WHERE rule = ?');
  const addEvent = db.prepare(
    'INSERT INTO rule_events (id, rule, ts_ms, doc) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const trimEvents = db.prepare('DELETE FROM rule_events WHERE n <= (SELECT max(n) FROM rule_events) - ?');
  const events = db.prepare(
    `SELECT doc FROM rule_events WHERE (@rule IS NULL OR rule = @rule)
       AND (@before IS NULL OR n < (SELECT n FROM rule_events WHERE id = @before)) ORDER BY n DESC LIMIT @limit`,
  );
  const addDelivery = db.prepare(
    `INSERT INTO deliveries (id, destination, rule, state, created_ms, next_try_ms, doc)
     VALUES (@id, @destination, @rule, @state, @createdMs, @nextTryMs, @doc)
     ON CONFLICT (id) DO UPDATE SET next_try_ms = excluded.next_try_ms, doc = excluded.doc`,
  );
  const trimDeliveries = db.prepare(
    `DELETE FROM deliveries WHERE state <> 'waiting' AND n <= (SELECT max(n) FROM deliveries) - ?`,
  );
  const up = db.prepare("SELECT value FROM settings WHERE name = 'alerts.upMs'");
  const putUp = db.prepare(
    `INSERT INTO settings (name, value) VALUES ('alerts.upMs', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  );

  const write = db.transaction((given: AlertWrite) => {
    for (const { places, ...one } of given.positions)
      putPosition.run({ ...one, places: places === undefined || places === null ? null : JSON.stringify(places) });
    for (const { rule, group, doc } of given.watches) {
      if (doc === null) removeWatch.run(rule, keyOf(group));
      else putWatch.run(rule, keyOf(group), doc);
    }
    for (const event of given.events) addEvent.run(event.id, event.rule, Math.round(event.tsMs), JSON.stringify(event));
    for (const delivery of given.deliveries) addDelivery.run(rowOf(delivery));
    if (given.events.length > 0) trimEvents.run(KEPT_EVENTS);
    if (given.deliveries.length > 0) trimDeliveries.run(KEPT_DELIVERIES);
    putUp.run(String(Math.round(given.upMs)));
  });
  const forget = db.transaction((id: string) => {
    removeWatches.run(id);
    removePosition.run(id);
  });
  const remove = db.transaction((id: string) => {
    removeRule.run(id);
    forget(id);
  });
  return {
    list: () => readDocuments<StoredRule>(list.all()),
    put: (rule) => void put.run(rule.id, JSON.stringify(rule)),
    remove: (id) => remove.immediate(id),
    position(id) {
      const row = position.get(id) as (Omit<RulePosition, 'places'> & { places: string | null }) | undefined;
      return row === undefined ? null : { ...row, places: row.places === null ? null : JSON.parse(row.places) };
    },
    watches: (id) =>
      (watches.all(id) as { grp: string; doc: string }[]).map(({ grp, doc }) => ({ group: groupOf(grp), doc })),
    forget: (id) => forget.immediate(id),
    write: (given) => write.immediate(given),
    upMs: () => Number((up.get() as { value: string } | undefined)?.value ?? 0),
    events: ({ rule, limit, before }) =>
      readDocuments<RuleEvent>(events.all({ rule: rule ?? null, before: before ?? null, limit })),
  };
}

/** The columns of a delivery; its text holds everything. */
export function rowOf(delivery: StoredDelivery) {
  const { id, destination, rule, state, createdMs, nextTryMs } = delivery;
  return {
    ...{ id, destination, rule, state, doc: JSON.stringify(delivery), createdMs: Math.round(createdMs) },
    nextTryMs: nextTryMs === null ? null : Math.round(nextTryMs),
  };
}

/** One delivery by its row. */
export function readDelivery(row: unknown): StoredDelivery | null {
  return readDocument<StoredDelivery>(row);
}

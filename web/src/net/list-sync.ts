import type Backbone from 'backbone';

/** A row of a list of the API: everything has an id. */
export interface Row {
  id: string;
}

/** The rows in the body of a list: an array, or an object with one array in it (`{hosts: […]}`, `{items: […]}`). */
export function rowsOf(body: unknown): Row[] {
  if (Array.isArray(body)) return body as Row[];
  if (body !== null && typeof body === 'object') {
    for (const value of Object.values(body)) if (Array.isArray(value)) return value as Row[];
  }
  return [];
}

/** The row each model was last set from. A patched body shares its untouched rows, so the same object means no change. */
const setFrom = new WeakMap<Backbone.Model, Row>();

/**
 * Brings a collection to the state of a list. Only rows that are other objects than last time are compared, so that
 * one change among a thousand rows costs one row.
 */
export function syncCollection(collection: Backbone.Collection, body: unknown): void {
  const rows = rowsOf(body);
  const seen = new Set<string>();
  const fresh: Row[] = [];
  // What tells rows apart is the collection's own: most have an `id`, a few are named by two words.
  const keyOf = (row: object) => String(collection.modelId(row as Row));
  for (const row of rows) {
    const key = keyOf(row);
    seen.add(key);
    const model = collection.get(key);
    if (model === undefined) fresh.push(row);
    else if (setFrom.get(model) !== row) replaceAttributes(model, row);
  }
  if (collection.length + fresh.length > seen.size) {
    collection.remove(collection.filter((model) => !seen.has(keyOf(model.attributes))));
  }
  if (fresh.length === 0) return;
  collection.add(fresh);
  for (const row of fresh) {
    const model = collection.get(keyOf(row));
    if (model !== undefined) setFrom.set(model, row);
  }
}

/** Sets every attribute of the row and unsets what the row no longer has, with at most one `change`. */
function replaceAttributes(model: Backbone.Model, row: Row): void {
  const next: Record<string, unknown> = { ...row };
  for (const key of Object.keys(model.attributes)) if (!(key in next)) next[key] = undefined;
  setFrom.set(model, row);
  model.set(next);
}

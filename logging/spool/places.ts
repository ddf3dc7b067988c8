import Database from 'better-sqlite3';

const MAX_PLACES = 20_000;

/**
 * Where each source of lines stands, by a name of its own. A place is written in the transaction that writes the lines
 * before it: after a kill at any point a source goes on behind its last durable line, with none lost and none doubled.
 */
export interface Places {
  /** The place of this name as it was last set, durable or about to be. */
  get(name: string): string | undefined;
  /** Sets a place, or with null forgets it; durable with the next commit. */
  set(name: string, value: string | null): void;
  /** Names that begin so. */
  names(prefix: string): string[];
}

export interface StoredPlaces extends Places {
  /** True while something is to be written. */
  isDirty(): boolean;
  /** Writes what was set; within the caller's transaction. */
  write(db: Database.Database): void;
  /** The transaction stands. */
  written(): void;
  /** Everything is to be written anew, into another file. */
  rewrite(): void;
}

/** Adds the table of places to a file, when it is not there. */
export function ensurePlaces(db: Database.Database): void {
  db.exec('CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');
}

/** What a file holds of places; none when they cannot be read. */
export function readPlaces(db: Database.Database): Map<string, string> {
  const found = new Map<string, string>();
  try {
    for (const row of db.prepare('SELECT name, value FROM places').iterate() as IterableIterator<{
      name: string;
      value: string;
    }>)
      found.set(row.name, row.value);
  } catch {
    // A damaged file, or one without the table: what was read until then counts.
  }
  return found;
}

/** Takes over what can be read of the places in a damaged file. */
export function salvagePlaces(damagedPath: string, into: Database.Database): void {
  let from: Database.Database | null = null;
  try {
    from = new Database(damagedPath, { fileMustExist: true, timeout: 500 });
    const put = into.prepare('INSERT OR REPLACE INTO places VALUES (?, ?)');
    for (const [name, value] of readPlaces(from)) put.run(name, value);
  } catch {
    // Sources then begin as on a new host, and say so.
  } finally {
    from?.close();
  }
}

/** Holds the places in memory and writes what changed. */
export function createPlaces(initial: Map<string, string>): StoredPlaces {
  const known = initial;
  let dirty = new Set<string>();
  let writing: Set<string> | null = null;
  return {
    get: (name) => known.get(name),
    set(name, value) {
      if (value === null ? !known.delete(name) : known.get(name) === value) return;
      if (value !== null && (known.has(name) || known.size < MAX_PLACES)) known.set(name, value);
      dirty.add(name);
    },
    names: (prefix) => [...known.keys()].filter((name) => name.startsWith(prefix)),
    isDirty: () => dirty.size > 0 || writing !== null,
    write(db) {
      // A transaction that failed is tried again with all of it.
      for (const name of writing ?? []) dirty.add(name);
      writing = dirty;
      dirty = new Set();
      const put = db.prepare('INSERT OR REPLACE INTO places VALUES (?, ?)');
      const remove = db.prepare('DELETE FROM places WHERE name = ?');
      for (const name of writing) {
        const value = known.get(name);
        if (value === undefined) remove.run(name);
        else put.run(name, value);
      }
    },
    written() {
      writing = null;
    },
    rewrite() {
      for (const name of known.keys()) dirty.add(name);
    },
  };
}

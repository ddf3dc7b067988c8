/** Reads the `doc` column of a row; undefined (no such row) becomes null. */
export function readDocument<T>(row: unknown): T | null {
  return row === undefined ? null : (JSON.parse((row as { doc: string }).doc) as T);
}

/** Reads the `doc` column of many rows. */
export function readDocuments<T>(rows: unknown[]): T[] {
  return rows.map((row) => JSON.parse((row as { doc: string }).doc) as T);
}

import type { DuckDBConnection } from '@duckdb/node-api';
import type { IndexShelf } from './index-shelf.ts';
import type { Layout, LayoutBook } from './layout.ts';
import { runQuery } from './line-rows.ts';
import type { Needles } from './needles.ts';
import { type Plan, planOf, type Range, relationOf } from './plan.ts';

/** One reader's view of all lines at one moment, whatever is sealed or deleted meanwhile. */
export interface Reading {
  connection: DuckDBConnection;
  layout: Layout;
  plan(needles: Needles | null, range: Range): Promise<Plan>;
  /** What stands behind FROM for the lines of a plan. */
  from(plan: Plan): string;
  query(sql: string, values?: string[]): Promise<unknown[][]>;
}

/** Runs `work` in a transaction: all that it asks is answered from the same moment. */
export async function readTogether<T>(
  connection: DuckDBConnection,
  deps: { book: LayoutBook; shelf: IndexShelf; folder: string },
  work: (reading: Reading) => Promise<T>,
): Promise<T> {
  const { book, shelf, folder } = deps;
  await connection.run('BEGIN TRANSACTION READ ONLY');
  try {
    const layout = await book.at(connection);
    return await work({
      ...{ connection, layout },
      plan: (needles, range) => planOf(layout, shelf, needles, range),
      from: (plan) => relationOf(plan, folder),
      query: (sql, values = []) => runQuery(connection, sql, values),
    });
  } finally {
    // What failed in it is told by itself; a database that has to be opened again cannot roll back.
    await connection.run('ROLLBACK').catch(() => undefined);
  }
}

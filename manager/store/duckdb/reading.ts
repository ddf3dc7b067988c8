import type { DuckDBConnection } from '@duckdb/node-api';
import { removeExcerpts } from './excerpts.ts';
import type { IndexShelf } from './index-shelf.ts';
import type { Layout, LayoutBook } from './layout.ts';
import { runQuery } from './line-rows.ts';
import type { Needles } from './needles.ts';
import { type Plan, planOf, type Range } from './plan.ts';
import { type RelationDeps, relationOf } from './relation.ts';
import type { LostLines } from './segment-guard.ts';

/** One reader's view of all lines at one moment, whatever is sealed or deleted meanwhile. */
export interface Reading {
  connection: DuckDBConnection;
  layout: Layout;
  plan(needles: Needles | null, range: Range): Promise<Plan>;
  /** Runs a query over the lines of a plan. `sql` is given what stands behind FROM. */
  ask(plan: Plan, sql: (from: string) => string, values?: string[]): Promise<unknown[][]>;
  query(sql: string, values?: string[]): Promise<unknown[][]>;
  /** Lines that would have been looked at, but cannot be read any more. */
  lost(): LostLines[];
}

export interface ReadingDeps extends RelationDeps {
  book: LayoutBook;
  shelf: IndexShelf;
}

/** Runs `work` in a transaction: all that it asks is answered from the same moment. */
export async function readTogether<T>(
  connection: DuckDBConnection,
  deps: ReadingDeps,
  work: (reading: Reading) => Promise<T>,
): Promise<T> {
  const { book, shelf } = deps;
  const lost = new Map<string, LostLines>();
  await connection.run('BEGIN TRANSACTION READ ONLY');
  try {
    const layout = await book.at(connection);
    return await work({
      ...{ connection, layout },
      plan: (needles, range) => planOf(layout, shelf, needles, range),
      async ask(plan, sql, values = []) {
        const relation = await relationOf(plan, deps);
        for (const [name, lines] of relation.lost) lost.set(name, lines);
        try {
          await rememberFooters(connection, relation.excerpts.length === 0);
          return await runQuery(connection, sql(relation.sql), values);
        } finally {
          await removeExcerpts(relation.excerpts);
        }
      },
      query: (sql, values = []) => runQuery(connection, sql, values),
      lost: () => [...lost.values()],
    });
  } finally {
    // What failed in it is told by itself; a database that has to be opened again cannot roll back.
    await connection.run('ROLLBACK').catch(() => undefined);
  }
}

const forgetting = new WeakSet<DuckDBConnection>();

/** Footers of sealed files are kept in memory; those of excerpts would be of no use again, and fill it. */
async function rememberFooters(connection: DuckDBConnection, remember: boolean): Promise<void> {
  if (forgetting.has(connection) !== remember) return;
  await connection.run(`SET SESSION parquet_metadata_cache = ${remember}`);
  if (remember) forgetting.delete(connection);
  else forgetting.add(connection);
}

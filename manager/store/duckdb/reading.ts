import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isWebvirtError } from '../../../common/errors.ts';
import type { UnreadableLines } from '../ports.ts';
import { removeExcerpts } from './excerpts.ts';
import type { IndexShelf } from './index-shelf.ts';
import type { Layout, LayoutBook, Segment } from './layout.ts';
import { runQuery } from './line-rows.ts';
import type { Needles } from './needles.ts';
import { type Plan, planOf, type Range } from './plan.ts';
import { knownBlocks, noteLostBlock, noteLostFiles, type RelationDeps, relationOf } from './relation.ts';
import { quotedText } from './sql-text.ts';

/** One reader's view of all lines at one moment, whatever is sealed or deleted meanwhile. */
export interface Reading {
  connection: DuckDBConnection;
  layout: Layout;
  plan(needles: Needles | null, range: Range): Promise<Plan>;
  /** Runs a query over the lines of a plan. `sql` is given what stands behind FROM. */
  ask(plan: Plan, sql: (from: string) => string, values?: string[]): Promise<unknown[][]>;
  query(sql: string, values?: string[]): Promise<unknown[][]>;
  /** For a plan that is answered without its lines: what of it is known to be unreadable is said too. */
  notice(plan: Plan): Promise<void>;
  /** What was asked for and cannot be read any more, by a name of its own. */
  unreadable(): ReadonlyMap<string, UnreadableLines>;
}

export interface ReadingDeps extends RelationDeps {
  book: LayoutBook;
  shelf: IndexShelf;
  /** A file cannot be read at all. */
  lose(segment: Segment): void;
}

const BEGIN = 'BEGIN TRANSACTION READ ONLY';

/** Runs `work` in a transaction: all that it asks is answered from the same moment. */
export async function readTogether<T>(
  connection: DuckDBConnection,
  deps: ReadingDeps,
  work: (reading: Reading) => Promise<T>,
): Promise<T> {
  const { book, shelf } = deps;
  const lost = new Map<string, UnreadableLines>();
  const ask = async (plan: Plan, sql: (from: string) => string, values: string[]): Promise<unknown[][]> => {
    const relation = await relationOf(plan, deps);
    for (const [name, lines] of relation.lost) lost.set(name, lines);
    try {
      await rememberFooters(connection, relation.excerpts.length === 0);
      return await runQuery(connection, sql(relation.sql), values);
    } finally {
      await removeExcerpts(relation.excerpts);
    }
  };

  await connection.run(BEGIN);
  try {
    const layout = await book.at(connection);
    return await work({
      ...{ connection, layout },
      plan: (needles, range) => planOf(layout, shelf, needles, range),
      async ask(plan, sql, values = []) {
        try {
          return await ask(plan, sql, values);
        } catch (error) {
          if (isWebvirtError(error) || /interrupt/i.test(String(error)) || plan.segments.length === 0) throw error;
          const rest = await withoutUnreadable(connection, plan, deps);
          // The transaction is over with the error: the question is asked again only where a new one sees the same.
          if ((await book.at(connection)).version !== layout.version) throw error;
          return ask(rest, sql, values);
        }
      },
      query: (sql, values = []) => runQuery(connection, sql, values),
      async notice(plan) {
        noteLostFiles(lost, plan);
        for (const part of plan.segments) {
          const bad = await deps.guard.knownBad(part.segment, part.loaded!, knownBlocks(part) ?? []);
          for (const block of bad) noteLostBlock(lost, part, block);
        }
      },
      unreadable: () => lost,
    });
  } finally {
    // What failed in it is told by itself; a database that has to be opened again cannot roll back.
    await connection.run('ROLLBACK').catch(() => undefined);
  }
}

/** Looks again at all files of a plan: one without checksums of its blocks is read in full. */
async function withoutUnreadable(connection: DuckDBConnection, plan: Plan, deps: ReadingDeps): Promise<Plan> {
  const unreadable = new Set<Segment>();
  for (const { segment, loaded } of plan.segments) {
    deps.guard.forget(segment.file);
    if (loaded?.index.sealed) continue;
    const path = quotedText(join(deps.folder, segment.file));
    await connection.run('ROLLBACK');
    await connection.run(BEGIN);
    await runQuery(connection, `SELECT max(hash(file)) FROM read_parquet(${path}) file`, []).catch((error: unknown) => {
      if (/interrupt/i.test(String(error))) throw error;
      deps.lose(segment);
      unreadable.add(segment);
    });
  }
  await connection.run('ROLLBACK');
  await connection.run(BEGIN);
  const segments = plan.segments.filter(({ segment }) => !unreadable.has(segment));
  return { ...plan, segments, lost: [...plan.lost, ...unreadable] };
}

const forgetting = new WeakSet<DuckDBConnection>();

/** Footers of sealed files are kept in memory; those of excerpts would be of no use again, and fill it. */
async function rememberFooters(connection: DuckDBConnection, remember: boolean): Promise<void> {
  if (forgetting.has(connection) !== remember) return;
  await connection.run(`SET SESSION parquet_metadata_cache = ${remember}`);
  if (remember) forgetting.delete(connection);
  else forgetting.add(connection);
}

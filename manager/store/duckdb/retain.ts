import type { StoreFailpoint } from '../failpoint.ts';
import { nextSegmentId, readHot, type Segment } from './layout.ts';
import { runQuery } from './line-rows.ts';
import { integer } from './query-sql.ts';
import { readableLines } from './readable-lines.ts';
import {
  deleteBehind,
  deleteRows,
  goneCondition,
  limitsOf,
  type RetentionRule,
  ripeLevels,
  usedBytes,
} from './retention.ts';
import { type SwapDeps, swapSegments } from './swap-segments.ts';
import { writeSegment } from './write-segment.ts';

export interface Deleted {
  lines: number;
  /** The newest receive time among the deleted lines. */
  toMs: number;
  freedBytes: number;
}

interface Deps extends SwapDeps {
  failpoint: StoreFailpoint;
}

/**
 * Deletes what a rule no longer keeps; null when everything may stay. Files go as a whole where they can, and are written
 * anew where some of their lines stay. Nothing may be sealed meanwhile.
 */
export async function retainLines(rule: RetentionRule, deps: Deps): Promise<Deleted | null> {
  const before = await totalBytes(deps);
  const limits = limitsOf(rule);
  const deleted = { lines: 0, toMs: 0 };
  const add = ({ lines, toMs }: { lines: number; toMs: number }) => {
    deleted.lines += lines;
    if (lines > 0) deleted.toMs = Math.max(deleted.toMs, toMs);
  };
  add(await deleteHot(goneCondition(limits, rule.keep), deps));
  for (const segment of deps.book.current.segments) {
    const ripe = ripeLevels(segment, limits);
    if (ripe !== null) add(await thin(segment, goneCondition(ripe, rule.keep), deps));
  }
  if (rule.limitBytes !== undefined && (await totalBytes(deps)) > rule.limitBytes) add(await deleteOldest(rule, deps));
  if (deleted.lines === 0) return null;
  const samplesToMs = Math.max(Math.min(...limits) - 1, rule.limitBytes === undefined ? 0 : deleted.toMs);
  await deps.engine.write(async (connection) => {
    const [row] = await runQuery(
      connection,
      'SELECT least((SELECT min(ordinal) FROM lines), (SELECT min(min_ordinal) FROM segments))',
      [],
    );
    const firstOrdinal = row?.[0] === null || row === undefined ? Number.MAX_SAFE_INTEGER : Number(row[0]);
    await deleteBehind(connection, { firstOrdinal, samplesToMs: Math.min(samplesToMs, Date.now()) });
    deps.failpoint('M8');
  });
  // Without it the database counts as full as before, and the next call would delete as much again for nothing.
  await deps.engine.checkpoint();
  return { ...deleted, freedBytes: Math.max(0, before - (await totalBytes(deps))) };
}

/** All bytes in use, sealed or not. */
export async function totalBytes({ engine, book }: Pick<Deps, 'engine' | 'book'>): Promise<number> {
  return book.current.segments.reduce((sum, { bytes }) => sum + bytes, await engine.read(usedBytes));
}

async function deleteHot(
  condition: string,
  { engine, book, failpoint }: Deps,
): Promise<{ lines: number; toMs: number }> {
  return engine.write(
    async (connection) => {
      const gone = await deleteRows(connection, 'lines', condition);
      if (gone.lines > 0) failpoint('M8');
      return { gone, hot: gone.lines === 0 ? null : await readHot(connection, 'lines') };
    },
    ({ gone, hot }) => {
      // The same object: the layout is the same one, and commits go on widening it.
      if (hot !== null) Object.assign(book.current.hot, hot);
      return gone;
    },
  );
}

/** The oldest file that has anything to give; else the oldest tenth of what is not sealed. */
async function deleteOldest(rule: RetentionRule, deps: Deps): Promise<{ lines: number; toMs: number }> {
  const everything = goneCondition(limitsOf({ receivedBeforeMs: Number.MAX_SAFE_INTEGER }), rule.keep);
  const oldestFirst = [...deps.book.current.segments].sort((a, b) => a.maxReceivedMs - b.maxReceivedMs);
  for (const segment of oldestFirst) {
    const gone = await thin(segment, everything, deps);
    if (gone.lines > 0) return gone;
  }
  const [row] = await deps.engine.read((reader) =>
    runQuery(reader, `SELECT quantile_disc(ordinal, 0.1) FROM lines WHERE ${everything}`, []),
  );
  if (row?.[0] === null || row === undefined) return { lines: 0, toMs: 0 };
  return deleteHot(`ordinal <= ${integer(Number(row[0]))} AND ${everything}`, deps);
}

/**
 * Takes lines out of a file: the file goes, and a new one has what stays. One with damaged blocks goes as a whole when all
 * that can be read of it may, and stays as it is until then: what is left of it would look like all there was.
 */
async function thin(old: Segment, gone: string, deps: Deps): Promise<{ lines: number; toMs: number }> {
  const { engine, folder, underway, failpoint } = deps;
  const { from, lost } = await readableLines(old, deps);
  if (from === null) return { lines: 0, toMs: 0 };
  const [row] = await engine.aside((connection) =>
    runQuery(connection, `SELECT count(*), max(received_ms) FROM ${from} WHERE ${gone}`, []),
  );
  const lines = Number(row?.[0] ?? 0);
  const all = lines === old.lines - lost;
  if (lines === 0 || (lost > 0 && !all)) return { lines: 0, toMs: 0 };
  let next: Segment | null = null;
  if (!all) {
    const id = await engine.write(nextSegmentId);
    const rest = `(SELECT * EXCLUDE (block) FROM ${from} WHERE NOT (${gone}))`;
    next = await engine.aside((connection) =>
      writeSegment(connection, {
        ...{ folder, id, from: rest, failpoint: () => failpoint('M8') },
        onNamed: (file) => underway.add(file),
      }),
    );
  }
  await swapSegments([old], next, deps, { inside: () => failpoint('M8'), behind: () => failpoint('M8') });
  return { lines, toMs: Number(row?.[1] ?? 0) };
}

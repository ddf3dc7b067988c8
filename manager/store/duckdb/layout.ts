import type { DuckDBConnection } from '@duckdb/node-api';
import { runQuery } from './line-rows.ts';
import { integer } from './query-sql.ts';

/** Times of the oldest and newest line of something. */
export interface Extent {
  oldestMs: number;
  newestMs: number;
}

/** One file of sealed lines. `minSortMs..maxSortMs` and the others are both included. */
export interface Segment {
  id: number;
  file: string;
  bytes: number;
  lines: number;
  minSortMs: number;
  maxSortMs: number;
  minReceivedMs: number;
  maxReceivedMs: number;
  minOrdinal: number;
  maxOrdinal: number;
}

/** A table of lines that are not sealed yet. Its extent and count grow with what is committed. */
export interface HotTable {
  extent: Extent | null;
  lines: number;
  /** Characters of messages and fields, roughly what the table takes. */
  characters: number;
  /** When the oldest of its lines was received; null when it is empty. */
  sinceMs: number | null;
}

/** What is where, as of one version. A line is in exactly one of these places. */
export interface Layout {
  version: number;
  hot: HotTable;
  /** Table `lines_sealing`, while it is there. */
  sealing: HotTable | null;
  /** Oldest arrival first. */
  segments: readonly Segment[];
  /** Files that are named, but cannot be read. */
  lost: readonly Segment[];
}

const SEGMENT_COLUMNS = `id, file, bytes, line_count, min_sort_ms, max_sort_ms, min_received_ms, max_received_ms,
  min_ordinal, max_ordinal`;
const KEPT_VERSIONS = 8;

/**
 * Knows the layouts of the last versions. The version is stored and read inside a reader's own snapshot: a search sees
 * the tables and the list of files of one moment, while lines go from one to the other.
 */
export class LayoutBook {
  #known = new Map<number, Layout>();
  #current: Layout | null = null;
  /** Files that cannot be read: they are left out until they are whole again. */
  readonly damaged = new Set<string>();

  /** Forgets what it knew and reads what is stored. */
  async load(connection: DuckDBConnection): Promise<Layout> {
    this.#known.clear();
    return this.put(this.#readable(await readLayout(connection)));
  }

  #readable(layout: Layout): Layout {
    const segments = layout.segments.filter(({ file }) => !this.damaged.has(file));
    const lost = layout.segments.filter(({ file }) => this.damaged.has(file));
    return lost.length === 0 ? layout : { ...layout, segments, lost: [...layout.lost, ...lost] };
  }

  get current(): Layout {
    if (this.#current === null) throw new TypeError('the layout was not read yet');
    return this.#current;
  }

  put(layout: Layout): Layout {
    this.#current = layout;
    this.#known.set(layout.version, layout);
    for (const version of this.#known.keys())
      if (version <= layout.version - KEPT_VERSIONS) this.#known.delete(version);
    return layout;
  }

  /** Leaves a file out from now on. */
  lose(segment: Segment): void {
    this.damaged.add(segment.file);
    for (const [version, layout] of this.#known) this.#known.set(version, this.#readable(layout));
    if (this.#current !== null) this.#current = this.#known.get(this.#current.version) ?? this.#readable(this.#current);
  }

  /** The layout of the connection's snapshot: the first thing a reading transaction asks. */
  async at(connection: DuckDBConnection): Promise<Layout> {
    const [row] = await runQuery(connection, "SELECT value FROM meta WHERE name = 'layout'", []);
    return this.#known.get(Number(row?.[0])) ?? this.#readable(await readLayout(connection));
  }
}

/** Marks a new layout, inside the transaction that makes it; answers its version. */
export async function nextVersion(connection: DuckDBConnection, sealing: boolean): Promise<number> {
  await connection.run("UPDATE meta SET value = value + 1 WHERE name = 'layout'");
  await connection.run(`UPDATE meta SET value = ${sealing ? 1 : 0} WHERE name = 'sealing'`);
  return metaValue(connection, 'layout');
}

/** Next number of a file; it is never given again. */
export async function nextSegmentId(connection: DuckDBConnection): Promise<number> {
  await connection.run("UPDATE meta SET value = value + 1 WHERE name = 'segment'");
  return metaValue(connection, 'segment');
}

async function metaValue(connection: DuckDBConnection, name: string): Promise<number> {
  const [row] = await runQuery(connection, 'SELECT max(value) FROM meta WHERE name = ?', [name]);
  return Number(row?.[0] ?? 0);
}

export async function insertSegment(connection: DuckDBConnection, segment: Segment): Promise<void> {
  const { id, file, bytes, lines, minSortMs, maxSortMs, minReceivedMs, maxReceivedMs, minOrdinal, maxOrdinal } =
    segment;
  const numbers = [bytes, lines, minSortMs, maxSortMs, minReceivedMs, maxReceivedMs, minOrdinal, maxOrdinal];
  const sql = `INSERT INTO segments (${SEGMENT_COLUMNS}) VALUES (${integer(id)}, ?, ${numbers.map(integer).join(', ')})`;
  await connection.run(sql, [file]);
}

async function readLayout(connection: DuckDBConnection): Promise<Layout> {
  const sealing = (await metaValue(connection, 'sealing')) === 1;
  const rows = await runQuery(connection, `SELECT ${SEGMENT_COLUMNS} FROM segments ORDER BY min_ordinal`, []);
  return {
    version: await metaValue(connection, 'layout'),
    hot: await readHot(connection, 'lines'),
    sealing: sealing ? await readHot(connection, 'lines_sealing') : null,
    segments: rows.map(segmentOf),
    lost: [],
  };
}

export async function readHot(connection: DuckDBConnection, table: 'lines' | 'lines_sealing'): Promise<HotTable> {
  const [row] = await runQuery(
    connection,
    `SELECT count(*), min(sort_ms), max(sort_ms), min(received_ms),
       coalesce(sum(length(message) + coalesce(length(fields), 0)), 0)::BIGINT FROM ${table}`,
    [],
  );
  const [lines, oldest, newest, since, characters] = row!.map(Number);
  if (lines === 0) return { extent: null, lines: 0, characters: 0, sinceMs: null };
  return { extent: { oldestMs: oldest!, newestMs: newest! }, lines: lines!, characters: characters!, sinceMs: since! };
}

function segmentOf([id, file, ...numbers]: unknown[]): Segment {
  const [bytes, lines, minSortMs, maxSortMs, minReceivedMs, maxReceivedMs, minOrdinal, maxOrdinal] =
    numbers.map(Number);
  return {
    ...{ id: Number(id), file: String(file), bytes: bytes!, lines: lines! },
    ...{ minSortMs: minSortMs!, maxSortMs: maxSortMs!, minReceivedMs: minReceivedMs!, maxReceivedMs: maxReceivedMs! },
    ...{ minOrdinal: minOrdinal!, maxOrdinal: maxOrdinal! },
  };
}

/** From the oldest to the newest line of all places; null when there is none. */
export function extentOf({ hot, sealing, segments }: Layout): Extent | null {
  const all = [hot.extent, sealing?.extent ?? null].filter((extent) => extent !== null);
  for (const { minSortMs, maxSortMs } of segments) all.push({ oldestMs: minSortMs, newestMs: maxSortMs });
  if (all.length === 0) return null;
  return {
    oldestMs: all.reduce((least, extent) => Math.min(least, extent.oldestMs), Infinity),
    newestMs: all.reduce((most, extent) => Math.max(most, extent.newestMs), -Infinity),
  };
}

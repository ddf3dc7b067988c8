import { LEVELS, type Level } from '../../../common/model/line.ts';
import { fold } from '../../../common/pure/query/fold.ts';
import type { Query } from '../../../common/pure/query/query.ts';
import type { Draft } from './block.ts';
import { dayOf } from './layout.ts';
import type { Row, Session, Statement } from './session.ts';

/** Longer values are not looked up: neither written here nor asked for. */
const LIMIT_VALUE_CHARACTERS = 256;
const LIMIT_REMEMBERED = 200_000;
/** A day more than the lines: what is found and gone is a wasted look, what is there and not found would be a loss. */
export const MORE_SECONDS = 86_400;

const SEEN = 'INSERT INTO seen (kind, value, day, bucket, shard) VALUES (?, ?, ?, ?, ?) USING TTL ?';
const SLOT = 'INSERT INTO slots (day, slot, bucket, shard) VALUES (?, ?, ?, ?) USING TTL ?';

/** The fields whose values are looked up. Host and hostName are one kind, as in the filter. */
export const LOOKED_UP = ['instance', 'job', 'level'] as const;
export type SeenKind = 'all' | 'days' | 'slot-days' | 'host' | (typeof LOOKED_UP)[number];

export interface Origin {
  host: string;
  hostName: string;
}

/**
 * What says in which (bucket, shard) lines of a time, a host, an instance, a job or a level rest. One row stands for
 * all such lines of a minute and shard, so that it costs next to nothing to write beside them.
 */
export class Presence {
  #written = new Set<string>();
  readonly #ttl: number;

  /** `keepSeconds`: how long the level that is kept longest is kept, 0 for ever: a later row must not shorten it. */
  constructor(keepSeconds: number) {
    this.#ttl = keepSeconds === 0 ? 0 : keepSeconds + MORE_SECONDS;
  }

  /** Rows that are still missing for these blocks. They must be durable before the lines count as stored. */
  missing(blocks: readonly Found[]): [string, Statement][] {
    return [...rowsOf(blocks, this.#ttl)].filter(([key]) => !this.#written.has(key));
  }

  /** These are on the disk now. */
  wrote(keys: readonly string[]): void {
    if (this.#written.size + keys.length > LIMIT_REMEMBERED) this.#written = new Set();
    for (const key of keys) this.#written.add(key);
  }
}

/** A block, as far as it is found by its lines. */
export interface Found {
  draft: Pick<Draft, 'columns' | 'slots'>;
  origin: Origin;
  bucket: number;
  shard: number;
}

/** All rows by which blocks are found, each once, with the time that they live; 0: for ever. */
export function rowsOf(blocks: readonly Found[], ttl: number): Map<string, Statement> {
  const rows = new Map<string, Statement>();
  const want = (key: string, query: string, params: unknown[]) => void rows.set(key, { query, params });
  for (const { draft, origin, bucket, shard } of blocks) {
    const seen = (kind: SeenKind, value: string, day: number, at: number, in_: number) =>
      want(`${kind} ${day} ${at} ${in_} ${value}`, SEEN, [kind, value, day, at, in_, ttl]);
    const day = dayOf(bucket);
    seen('days', '', 0, day, 0);
    seen('all', '', day, bucket, shard);
    for (const slot of draft.slots) {
      seen('slot-days', '', 0, dayOf(slot), 0);
      want(`slot ${slot} ${bucket} ${shard}`, SLOT, [dayOf(slot), slot, bucket, shard, ttl]);
    }
    const value = (kind: SeenKind, text: string) => {
      const folded = fold(text);
      if (folded.length <= LIMIT_VALUE_CHARACTERS) seen(kind, folded, day, bucket, shard);
    };
    value('host', origin.host);
    value('host', origin.hostName);
    for (const name of LOOKED_UP) for (const text of draft.columns[name].values) value(name, text);
  }
  return rows;
}

/** Makes the days of kept lines last: what is written later about the same day would let them end with it. */
export function dayRows(days: readonly number[], kind: 'days' | 'slot-days'): Statement[] {
  return days.map((day) => ({ query: SEEN, params: [kind, '', 0, day, 0, 0] }));
}

/** `bucket/shard`, as a key. */
export type PartKey = `${number}/${number}`;
export const partKey = (bucket: number, shard: number): PartKey => `${bucket}/${shard}`;

export async function seenRows(session: Session, kind: SeenKind, value: string, day: number): Promise<Row[]> {
  const rows: Row[] = [];
  const query = 'SELECT bucket, shard FROM seen WHERE kind = ? AND value = ? AND day = ?';
  for await (const page of session.pages(query, [kind, value, day], 5_000)) rows.push(...page);
  return rows;
}

/** Days that have something, newest first. */
export async function daysOf(session: Session, kind: 'days' | 'slot-days'): Promise<number[]> {
  return (await seenRows(session, kind, '', 0)).map((row) => row['bucket'] as number);
}

/**
 * Says which parts cannot have a line that matches, by the terms of a query that ask for one value of a field that is
 * looked up. Answers null when the query has no such term.
 */
export function lookUps(session: Session, query: Query): ((bucket: number, shard: number) => Promise<boolean>) | null {
  const wanted: [SeenKind, string[]][] = [];
  for (const term of query.terms) {
    if (term.not) continue;
    if (term.kind === 'severity') wanted.push(['level', LEVELS.slice(0, term.most + 1) as Level[]]);
    if (term.kind !== 'field' || term.pieces.length !== 1 || term.pieces[0]!.length > LIMIT_VALUE_CHARACTERS) continue;
    if (term.field === 'host' || (LOOKED_UP as readonly string[]).includes(term.field))
      wanted.push([term.field as SeenKind, [term.pieces[0]!]]);
  }
  if (wanted.length === 0) return null;
  const known = new Map<string, Promise<Set<PartKey>>>();
  const partsOf = (kind: SeenKind, values: string[], day: number) => {
    const key = `${kind} ${day} ${values.join(' ')}`;
    let parts = known.get(key);
    if (parts === undefined) {
      parts = Promise.all(values.map((value) => seenRows(session, kind, value, day))).then(
        (all) => new Set(all.flat().map((row) => partKey(row['bucket'] as number, row['shard'] as number))),
      );
      known.set(key, parts);
    }
    return parts;
  };
  return async (bucket, shard) => {
    for (const [kind, values] of wanted)
      if (!(await partsOf(kind, values, dayOf(bucket))).has(partKey(bucket, shard))) return false;
    return true;
  };
}

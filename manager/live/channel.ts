import { type FilterParts, queryOf } from '../../common/pure/query/filter.ts';
import { fold } from '../../common/pure/query/fold.ts';
import { compileMatcher } from '../../common/pure/query/match.ts';
import { re2Engine } from '../../common/pure/query/re2-engine.ts';
import { BatchRow } from '../../common/pure/query/row.ts';
import type { LineColumns } from '../../common/wire/frames.ts';
import type { CommittedBatch } from '../store/ports.ts';
import type { BatchReader } from './ports.ts';
import { type Entry, entryOf } from './tail-queue.ts';

/** A committed batch while the channels look at it: a row becomes an object once, when the first of them wants it. */
export interface SharedBatch {
  batch: CommittedBatch;
  columns: LineColumns;
  entry(i: number): Entry;
}

/** `peerAt`: the batch is another manager's, and this is the arrival number in our own store at which it came. */
export function shareBatch(batch: CommittedBatch, reader: BatchReader, peerAt: number | null = null): SharedBatch {
  const columns = reader.columnsOf(batch);
  const made: (Entry | undefined)[] = [];
  return {
    batch,
    columns,
    entry(i) {
      made[i] ??= {
        ...entryOf(reader.lineAt(batch, columns, i), peerAt ?? batch.ordinal + i),
        ...(peerAt === null ? {} : { isPeers: true, peerOrdinal: batch.ordinal + i }),
      };
      return made[i];
    },
  };
}

/** The rows of a batch that a filter lets through, in order. */
export type Selector = (shared: SharedBatch) => Entry[];

/** Compiles a filter for columns. Throws `bad-query`. */
export function createSelector(parts: FilterParts): Selector {
  const query = queryOf(parts);
  const matches = query.terms.length === 0 ? null : compileMatcher(query, re2Engine);
  const host = parts.host === undefined ? null : fold(parts.host);
  return ({ batch, columns, entry }) => {
    const selected: Entry[] = [];
    // A whole batch is of one host: most are passed over without looking at their rows.
    if (host !== null && fold(batch.host) !== host && fold(batch.hostName) !== host) return selected;
    const row = new BatchRow(batch, columns);
    for (let i = 0; i < columns.n; i++) {
      row.i = i;
      if (matches === null || matches(row)) selected.push(entry(i));
    }
    return selected;
  };
}

/** The same filter has the same key, whatever was left out or how it was ordered. */
export function filterKey(parts: FilterParts): string {
  const { q, level, host, instance, source, job, session } = parts;
  const fields = [host, instance, source, job, session].map((value) => value ?? null);
  return JSON.stringify([q?.trim() ?? '', level ?? '', ...fields]);
}

import { fold } from '../../../common/pure/query/fold.ts';
import type { LineColumns } from '../../../common/wire/frames.ts';
import { addText, addValue, emptyTables, folded, hasAll } from '../duckdb/grams.ts';
import { type Needles, needlesOf } from '../duckdb/needles.ts';
import type { LineBatch, LineFilter } from '../ports.ts';

/** Grows with every change of how texts are marked: a filter of another kind says nothing. */
const KIND = 1;
const HEAD_BYTES = 2;
/** Blocks with less text are as quickly read as their filter. */
const LEAST_CHARACTERS = 4_096;
/** Share of a table that is set at most: smaller tables answer "may be there" too often. */
const SHORT_FILLED = 0.2;
const LONG_FILLED = 0.3;

/**
 * What a block cannot contain, made of the same groups of letters as the side files of the embedded store: a byte for its
 * kind, one for the length of the first table as a power of two, the two tables. Null for a small block.
 */
export function gramsOf(columns: LineColumns, origin: Pick<LineBatch, 'agent' | 'host' | 'hostName'>): Buffer | null {
  const text = columns.message.join('\n');
  if (text.length < LEAST_CHARACTERS) return null;
  const tables = emptyTables();
  // All texts as one: a group that goes over a border of two lines is one too many, never one too few.
  addText(Buffer.from(fold(text), 'utf8'), tables);
  const add = (name: string, value: string) => addValue(name, Buffer.from(fold(value), 'utf8'), tables);
  add('agent', origin.agent);
  add('host', origin.host);
  add('host_name', origin.hostName);
  for (const name of ['source', 'unit', 'instance', 'job', 'session'] as const)
    for (const value of columns[name].values) add(name, value);
  const short = folded(tables.short, SHORT_FILLED);
  return Buffer.concat([Buffer.of(KIND, Math.log2(short.length)), short, folded(tables.long, LONG_FILLED)]);
}

/** What a filter looks for. `asksTexts` false: the filters of blocks say nothing of it. Throws `bad-query`. */
export function wantedOf(filter: LineFilter): Needles & { asksTexts: boolean } {
  const needles = needlesOf(filter);
  // Half of a surrogate pair is found inside a whole one, whose bytes are others.
  const clauses = /\p{Surrogate}/u.test(JSON.stringify(filter)) ? [] : needles.clauses;
  return { ...needles, clauses, asksTexts: clauses.length > 0 };
}

/** False only when no line of the block can match. */
export function mayHold({ clauses }: Pick<Needles, 'clauses'>, grams: Buffer | null): boolean {
  if (grams === null || grams[0] !== KIND || clauses.length === 0) return true;
  const end = HEAD_BYTES + 2 ** grams[1]!;
  const [short, long] = [grams.subarray(HEAD_BYTES, end), grams.subarray(end)];
  return clauses.every((any) => any.some((one) => hasAll(short, one.short) && hasAll(long, one.long)));
}

/** False when no line of these levels is among the lines of a block, counted per level. */
export function hasLevels({ levels: wanted }: Pick<Needles, 'levels'>, levels: readonly number[]): boolean {
  return levels.some((count, at) => count > 0 && (wanted & (1 << at)) !== 0);
}

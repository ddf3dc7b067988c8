import { LEVELS } from '../../../common/model/line.ts';
import { queryOf } from '../../../common/pure/query/filter.ts';
import { fold } from '../../../common/pure/query/fold.ts';
import type { Term } from '../../../common/pure/query/query.ts';
import type { LineColumns } from '../../../common/wire/frames.ts';
import {
  addText,
  addTexts,
  addValue,
  emptyTables,
  foldedLong,
  foldedShort,
  type GramTables,
  hasAll,
  placesOf,
  SEPARATOR,
} from '../duckdb/grams.ts';
import { regexLiterals } from '../duckdb/regex-literals.ts';
import type { LineBatch, LineFilter } from '../ports.ts';

/** Grows with every change of how texts are marked: a filter of another kind says nothing. */
const KIND = 1;
const HEAD_BYTES = 2;
const MARKS_OF_A_VALUE = 4;
/** Columns whose whole values are marked, beside those of the host. */
const VALUES = ['agent', 'source', 'unit', 'instance', 'job', 'session'] as const;
/** Blocks with less text are as quickly read as their filter. */
const LEAST_CHARACTERS = 4_096;

/**
 * What a block cannot contain, made of the same groups of letters as the side files of the embedded store: a byte for its
 * kind, one for the length of the first table as a power of two, the two tables. Null for a small block.
 */
export function gramsOf(columns: LineColumns, origin: Pick<LineBatch, 'agent' | 'host' | 'hostName'>): Buffer | null {
  const text = columns.message.join(String.fromCharCode(SEPARATOR));
  if (text.length < LEAST_CHARACTERS) return null;
  const tables = emptyTables();
  addTexts(Buffer.from(fold(text), 'utf8'), columns.n, tables);
  const add = (name: string, value: string) => markValue(name, fold(value), tables);
  add('host', origin.host);
  add('host_name', origin.hostName);
  add('agent', origin.agent);
  for (const name of VALUES) if (name !== 'agent') for (const value of columns[name].values) add(name, value);
  const short = foldedShort(tables);
  return Buffer.concat([Buffer.of(KIND, Math.log2(short.length)), short, foldedLong(tables)]);
}

/** Places that a block has all set when it may contain one text or value. */
interface Places {
  short: number[];
  long: number[];
}

/** What a block must have for a filter to match in it: a line of these levels, and of each list at least one. */
export interface Wanted {
  /** Bit i: lines of level i can match. */
  levels: number;
  /** Empty: the filters of blocks say nothing of it. */
  clauses: Places[][];
}

const ALL_LEVELS = 2 ** LEVELS.length - 1;

/** Throws `bad-query`. */
export function wantedOf(filter: LineFilter): Wanted {
  const wanted: Wanted = { levels: ALL_LEVELS, clauses: [] };
  for (const term of queryOf(filter).terms) {
    if (term.kind === 'severity') {
      const mask = 2 ** (term.most + 1) - 1;
      wanted.levels &= term.not ? ALL_LEVELS & ~mask : mask;
    } else if (!term.not) wanted.clauses.push(...clausesOf(term));
  }
  return wanted;
}

function clausesOf(term: Term): Places[][] {
  // Half of a surrogate pair is found inside a whole one, whose bytes are others.
  if (term.kind === 'text') return /\p{Surrogate}/u.test(term.text) ? [] : [[textPlaces(term.text)]];
  if (term.kind === 'regex') return regexLiterals(term.source, term.ignoreCase).map((text) => [textPlaces(text)]);
  if (term.kind !== 'field' || term.pieces.length !== 1) return [];
  const value = term.pieces[0]!;
  if (term.field === 'host') return [[valuePlaces('host', value), valuePlaces('host_name', value)]];
  return (VALUES as readonly string[]).includes(term.field) ? [[valuePlaces(term.field, value)]] : [];
}

function textPlaces(text: string): Places {
  const tables = emptyTables();
  addText(Buffer.from(text, 'utf8'), tables);
  return { short: placesOf(tables.short), long: placesOf(tables.long) };
}

function valuePlaces(name: string, value: string): Places {
  const tables = emptyTables();
  markValue(name, value, tables);
  return { short: [], long: placesOf(tables.long) };
}

/** In some places: of a single one a third of all blocks would have it set by chance. */
function markValue(name: string, value: string, tables: GramTables): void {
  const bytes = Buffer.from(value, 'utf8');
  for (let mark = 0; mark < MARKS_OF_A_VALUE; mark += 1) addValue(`${name} ${mark}`, bytes, tables);
}

/** False only when no line of the block can match. */
export function mayHold({ clauses }: Wanted, grams: Buffer | null): boolean {
  if (grams === null || grams[0] !== KIND || clauses.length === 0) return true;
  const end = HEAD_BYTES + 2 ** grams[1]!;
  const [short, long] = [grams.subarray(HEAD_BYTES, end), grams.subarray(end)];
  return clauses.every((any) => any.some((one) => hasAll(short, one.short) && hasAll(long, one.long)));
}

/** False when no line of these levels is among the lines of a block, counted per level. */
export function hasLevels({ levels: wanted }: Wanted, levels: readonly number[]): boolean {
  return levels.some((count, at) => count > 0 && (wanted & (1 << at)) !== 0);
}

import { LEVELS, type Level } from '../../../common/model/line.ts';
import { queryOf } from '../../../common/pure/query/filter.ts';
import { valueTest } from '../../../common/pure/query/match.ts';
import { isColumnField, type Term } from '../../../common/pure/query/query.ts';
import type { LineFilter } from '../ports.ts';
import { VALUE_COLUMNS } from './build-index.ts';
import { fieldTexts } from './field-texts.ts';
import { addText, addValue, emptyTables, hasAll, placesOf } from './grams.ts';
import { regexLiterals } from './regex-literals.ts';
import type { Block } from './segment-index.ts';

/** Places that a block has all set when it may contain one text or value. */
interface Places {
  short: number[];
  long: number[];
}

/** Of these a block must have at least one. */
interface Clause {
  any: Places[];
  /** True when it speaks of a value in `fields`. */
  ofFields?: boolean;
}

/** What a block must have for a filter to match in it. */
export interface Needles {
  clauses: Clause[];
  /** Bit i: lines of level i can match. */
  levels: number;
  /** True when a line matches if its level does: nothing else is asked. */
  levelsOnly: boolean;
}

const ALL_LEVELS = 2 ** LEVELS.length - 1;

/** Throws `bad-query`. */
export function needlesOf(filter: LineFilter): Needles {
  const needles: Needles = { clauses: [], levels: ALL_LEVELS, levelsOnly: true };
  for (const term of queryOf(filter).terms) {
    const levels = levelsOf(term);
    if (levels !== null) {
      needles.levels &= term.not ? ALL_LEVELS & ~levels : levels;
      continue;
    }
    needles.levelsOnly = false;
    // What must not be there tells nothing of a block.
    if (!term.not) needles.clauses.push(...clausesOf(term));
  }
  return needles;
}

/** False only when no line of the block can match. `data` holds the tables of its file. */
export function mayMatch(needles: Needles, block: Block, data: Buffer): boolean {
  if ((needles.levels & block.levels) === 0) return false;
  const [shortAt, shortBytes] = block.short;
  const [longAt, longBytes] = block.long;
  if (shortBytes === 0 || needles.clauses.length === 0) return true;
  const short = data.subarray(shortAt, shortAt + shortBytes);
  const long = data.subarray(longAt, longAt + longBytes);
  return needles.clauses.every(
    ({ any, ofFields }) =>
      (ofFields && block.oddFields) || any.some((one) => hasAll(short, one.short) && hasAll(long, one.long)),
  );
}

function levelsOf(term: Term): number | null {
  if (term.kind === 'severity') return 2 ** (term.most + 1) - 1;
  if (term.kind === 'present' && term.field === 'level') return ALL_LEVELS;
  if (term.kind !== 'field' || term.field !== 'level') return null;
  const fits = valueTest(term.pieces);
  return LEVELS.reduce((mask, level: Level, i) => (fits(level) ? mask | (1 << i) : mask), 0);
}

function clausesOf(term: Term): Clause[] {
  if (term.kind === 'text') return [{ any: [textPlaces(term.text)] }];
  if (term.kind === 'regex')
    return regexLiterals(term.source, term.ignoreCase).map((text) => ({ any: [textPlaces(text)] }));
  if (term.kind === 'present') return inFields(term.field, null);
  if (term.kind !== 'field') return [];
  if (term.field !== 'host' && !isColumnField(term.field)) return inFields(term.field, term.pieces);
  const [value] = term.pieces;
  // The values of a block were cut at line ends; and nothing is known of a value between wildcards.
  if (term.pieces.length !== 1 || value === undefined || value === '' || value.includes('\n')) return [];
  if (term.field === 'host') return [{ any: [valuePlaces('host', value), valuePlaces('host_name', value)] }];
  const known = term.field === 'source' || (VALUE_COLUMNS as readonly string[]).includes(term.field);
  return known ? [{ any: [valuePlaces(term.field, value)] }] : [];
}

function inFields(name: string, pieces: readonly string[] | null): Clause[] {
  const texts = name === 'host' || isColumnField(name) ? null : fieldTexts(name, pieces);
  return texts === null ? [] : [{ any: texts.map(textPlaces), ofFields: true }];
}

function textPlaces(text: string): Places {
  const tables = emptyTables();
  addText(Buffer.from(text), tables);
  return { short: placesOf(tables.short), long: placesOf(tables.long) };
}

function valuePlaces(name: string, value: string): Places {
  const tables = emptyTables();
  addValue(name, Buffer.from(value), tables);
  return { short: [], long: placesOf(tables.long) };
}

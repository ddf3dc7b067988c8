import { WebvirtError } from '../../../common/errors.ts';
import { LEVELS, type Level } from '../../../common/model/line.ts';
import { fieldValues } from '../../../common/pure/query/field-value.ts';
import { isColumnField } from '../../../common/pure/query/query.ts';
import { valueAt } from '../../../common/wire/frames.ts';
import type { HistogramBucket, LineFilter } from '../ports.ts';
import type { Block, OpenBlock } from './block.ts';
import type { Limits } from './reader.ts';
import { asksLevelsOnly, compileFilter, levelsThatMatch, type ReadDeps, rangeOf, scanBlocks } from './scan.ts';

const LIMIT_BUCKETS = 2_000;

/** How many lines match. */
export async function countLines(deps: ReadDeps, filter: LineFilter, limits: Limits): Promise<number> {
  const { query, rows } = compileFilter(filter);
  const range = rangeOf(filter);
  const levels = asksLevelsOnly(query) ? levelsThatMatch(query) : null;
  let count = 0;
  await scanBlocks(deps, filter, range, limits, {
    ...(levels === null
      ? {}
      : {
          whole(block) {
            for (const [at, matches] of levels.entries()) if (matches) count += block.levels[at] ?? 0;
            return true;
          },
        }),
    open(open) {
      for (const i of rows(open)) {
        const sortMs = open.sortMsAt(i);
        if (sortMs >= range.fromMs && sortMs < range.toMs) count += 1;
      }
    },
  });
  return count;
}

/** Lines by level in equal steps of time. Empty steps are there too, so that the answer can be drawn as it is. */
export async function countByTime(
  deps: ReadDeps,
  filter: LineFilter,
  wanted: { fromMs: number; toMs: number; buckets: number },
  limits: Limits,
): Promise<HistogramBucket[]> {
  const fromMs = Math.floor(wanted.fromMs);
  const toMs = Math.ceil(wanted.toMs);
  if (toMs <= fromMs) return [];
  const steps = Math.min(LIMIT_BUCKETS, Math.max(1, Math.trunc(wanted.buckets)));
  const stepMs = Math.max(1, Math.ceil((toMs - fromMs) / steps));
  const buckets = Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, i) => ({
    fromMs: fromMs + i * stepMs,
    counts: { error: 0, warn: 0, info: 0, debug: 0 },
  }));
  const stepAt = (sortMs: number) => Math.floor((sortMs - fromMs) / stepMs);
  const { query, rows } = compileFilter(filter);
  const given = rangeOf(filter);
  const range = { fromMs: Math.max(fromMs, given.fromMs), toMs: Math.min(toMs, given.toMs) };
  const levels = asksLevelsOnly(query) ? levelsThatMatch(query) : null;
  await scanBlocks(deps, filter, range, limits, {
    ...(levels === null
      ? {}
      : {
          whole(block) {
            const step = stepAt(block.minSortMs);
            if (step !== stepAt(block.maxSortMs)) return false;
            for (const [at, level] of LEVELS.entries())
              if (levels[at] === true) buckets[step]!.counts[level] += block.levels[at] ?? 0;
            return true;
          },
        }),
    open(open) {
      for (const i of rows(open)) {
        const sortMs = open.sortMsAt(i);
        if (sortMs < range.fromMs || sortMs >= range.toMs) continue;
        buckets[stepAt(sortMs)]!.counts[valueAt(open.columns.level, i) as Level] += 1;
      }
    },
  });
  return buckets;
}

/** The most frequent values of a field among the lines of a filter, the most frequent first. */
export async function countByValue(
  deps: ReadDeps,
  filter: LineFilter,
  field: string,
  limit: number,
  limits: Limits,
): Promise<{ value: string; count: number }[]> {
  const read = valueReader(field);
  const { query, rows } = compileFilter(filter);
  const range = rangeOf(filter);
  const counts = new Map<string, number>();
  const add = (value: string, lines: number) => {
    if (lines > 0) counts.set(value, (counts.get(value) ?? 0) + lines);
  };
  const levels = asksLevelsOnly(query) ? levelsThatMatch(query) : null;
  const ofHead = headReader(field);
  await scanBlocks(deps, filter, range, limits, {
    // What all lines of a block have is known without opening it.
    ...(levels === null || ofHead === null
      ? {}
      : {
          whole(block) {
            for (const [at, level] of LEVELS.entries()) {
              const value = ofHead(block, level);
              if (levels[at] === true && value !== undefined) add(value, block.levels[at] ?? 0);
            }
            return true;
          },
        }),
    open(open) {
      for (const i of rows(open)) {
        const sortMs = open.sortMsAt(i);
        if (sortMs < range.fromMs || sortMs >= range.toMs) continue;
        const value = read(open, i);
        if (value !== undefined) add(value, 1);
      }
    },
  });
  const found = [...counts].map(([value, count]) => ({ value, count }));
  found.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  const most = found.slice(0, Math.max(1, Math.trunc(limit)));
  // Levels are few and have an order that people know.
  if (field === 'level') most.sort((a, b) => LEVELS.indexOf(a.value as Level) - LEVELS.indexOf(b.value as Level));
  return most;
}

/** Fields that the head of a block tells for each of its lines. */
function headReader(field: string): ((block: Block, level: Level) => string | undefined) | null {
  if (field === 'level') return (_block, level) => level;
  if (field === 'agent') return ({ origin }) => origin.agent;
  return field === 'host' ? ({ origin }) => origin.host || undefined : null;
}

function valueReader(field: string): (open: OpenBlock, i: number) => string | undefined {
  if (field === 'host') return ({ block }) => (block.origin.host === '' ? undefined : block.origin.host);
  if (field === 'agent') return ({ block }) => block.origin.agent;
  if (isColumnField(field) && field !== 'agent') return ({ columns }, i) => valueAt(columns[field], i);
  if (!/^[A-Za-z_@][A-Za-z0-9_@-]*(\.[A-Za-z0-9_@-]+)*$/.test(field)) {
    throw new WebvirtError(
      'bad-request',
      'A field is named by letters, digits, - and _, with dots between nested names.',
    );
  }
  return ({ columns }, i) => {
    const fields = columns.fields?.[i] ?? null;
    return fields === null ? undefined : fieldValues(fields, field)[0];
  };
}

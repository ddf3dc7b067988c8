import { WebvirtError } from '../../../common/errors.ts';
import { LEVELS } from '../../../common/model/line.ts';
import { isColumnField } from '../../../common/pure/query/query.ts';
import type { HistogramBucket, LineFilter } from '../ports.ts';
import { countLevels } from './level-counts.ts';
import { textOf } from './line-rows.ts';
import { needlesOf } from './needles.ts';
import { isEmpty } from './plan.ts';
import { allOf, type Condition, integer } from './query-sql.ts';
import type { Reading } from './reading.ts';
import { levelName, sourceName } from './schema.ts';
import { atLeast, below, filterConditions } from './search.ts';

const LIMIT_BUCKETS = 2_000;

/** Lines by level in equal steps of time. Empty steps are there too, so that the answer can be drawn as it is. */
export async function countByTime(
  reading: Reading,
  filter: LineFilter,
  range: { fromMs: number; toMs: number; buckets: number },
): Promise<HistogramBucket[]> {
  const fromMs = Math.floor(range.fromMs);
  const toMs = Math.ceil(range.toMs);
  const wanted = Math.min(LIMIT_BUCKETS, Math.max(1, Math.trunc(range.buckets)));
  if (toMs <= fromMs) return [];
  const stepMs = Math.max(1, Math.ceil((toMs - fromMs) / wanted));
  const buckets = Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, i) => ({
    fromMs: fromMs + i * stepMs,
    counts: { error: 0, warn: 0, info: 0, debug: 0 },
  }));
  const needles = needlesOf(filter);
  if (needles.levelsOnly) {
    // The last step may reach over the end.
    const ended = { ...filter, toMs: Math.min(toMs, filter.toMs ?? Infinity) };
    const steps = { fromMs, stepMs, count: buckets.length };
    for (const [i, counts] of (await countLevels(reading, ended, needles, steps)).entries())
      for (const [level, count] of counts.entries()) buckets[i]!.counts[levelName(level)] = count;
    return buckets;
  }
  const within = {
    fromMs: Math.max(fromMs, filter.fromMs ?? -Infinity),
    toMs: Math.min(toMs, filter.toMs ?? Infinity),
  };
  const plan = await reading.plan(needles, within);
  if (isEmpty(plan)) return buckets;
  const where = allOf([atLeast(within.fromMs), below(within.toMs), ...filterConditions(filter)]);
  const counted = await reading.ask(
    plan,
    (from) => `SELECT (sort_ms - ${integer(fromMs)}) // ${integer(stepMs)} AS step, level, count(*)
     FROM ${from} WHERE ${where.sql} GROUP BY ALL`,
    where.values,
  );
  for (const [at, level, count] of counted) {
    const bucket = buckets[Number(at)];
    if (bucket !== undefined) bucket.counts[levelName(Number(level))] += Number(count);
  }
  return buckets;
}

/** The most frequent values of a field among the lines of a filter, the most frequent first. */
export async function countByValue(
  reading: Reading,
  filter: LineFilter,
  field: string,
  limit: number,
): Promise<{ value: string; count: number }[]> {
  const needles = needlesOf(filter);
  if (field === 'level' && needles.levelsOnly) {
    const [counts] = await countLevels(reading, filter, needles, null);
    return LEVELS.map((value, i) => ({ value, count: counts![i]! })).filter(({ count }) => count > 0);
  }
  const where = wholeFilter(filter);
  const value = valueExpression(field);
  const name = field === 'level' ? levelName : field === 'source' ? sourceName : null;
  const plan = await reading.plan(needles, filter);
  if (isEmpty(plan)) return [];
  const rows = await reading.ask(
    plan,
    (
      from,
    ) => `SELECT ${name !== null ? 'value' : 'encode(value)'}, count(*) AS n FROM (SELECT ${value} AS value FROM ${from} WHERE ${where.sql})
     WHERE value IS NOT NULL GROUP BY value ORDER BY n DESC, value LIMIT ${integer(Math.max(1, Math.trunc(limit)))}`,
    where.values,
  );
  const facets = rows.map(([value, count]) => ({
    value: name === null ? textOf(value) : name(Number(value)),
    count: Number(count),
  }));
  // Levels are few and have an order that people know.
  if (field === 'level') facets.sort((a, b) => LEVELS.indexOf(a.value as never) - LEVELS.indexOf(b.value as never));
  return facets;
}

/** How many lines match. */
export async function countLines(reading: Reading, filter: LineFilter): Promise<number> {
  const where = wholeFilter(filter);
  const needles = needlesOf(filter);
  if (needles.levelsOnly) {
    const [counts] = await countLevels(reading, filter, needles, null);
    return counts!.reduce((sum, count) => sum + count, 0);
  }
  const plan = await reading.plan(needles, filter);
  if (isEmpty(plan)) return 0;
  const [row] = await reading.ask(plan, (from) => `SELECT count(*) FROM ${from} WHERE ${where.sql}`, where.values);
  return Number(row?.[0] ?? 0);
}

function wholeFilter(filter: LineFilter): Condition {
  const conditions = filterConditions(filter);
  if (filter.fromMs !== undefined) conditions.push(atLeast(filter.fromMs));
  if (filter.toMs !== undefined) conditions.push(below(filter.toMs));
  return allOf(conditions);
}

function valueExpression(field: string): string {
  if (field === 'host') return "nullif(host, '')";
  if (isColumnField(field)) return field;
  if (!/^[A-Za-z_@][A-Za-z0-9_@-]*(\.[A-Za-z0-9_@-]+)*$/.test(field)) {
    throw new WebvirtError(
      'bad-request',
      'A field is named by letters, digits, - and _, with dots between nested names.',
    );
  }
  const nested = field
    .split('.')
    .map((key) => `"${key}"`)
    .join('.');
  return `coalesce(json_extract_string(fields, '$."${field}"'), json_extract_string(fields, '$.${nested}'))`;
}

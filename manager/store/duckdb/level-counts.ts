import { LEVELS } from '../../../common/model/line.ts';
import type { LineFilter } from '../ports.ts';
import type { Needles } from './needles.ts';
import { isEmpty, type Plan, type SegmentPart } from './plan.ts';
import { integer } from './query-sql.ts';
import type { Reading } from './reading.ts';
import { countsBefore, type LevelCounts } from './timeline.ts';

/** Equal steps of time: `count` of them from `fromMs` on, in whole milliseconds. */
export interface Steps {
  fromMs: number;
  stepMs: number;
  count: number;
}

/**
 * Lines by level in each step of time (null: in all time at once), for a filter that asks for levels alone. Sealed lines
 * are counted from the timelines beside them, the rest by the database; both are exact.
 */
export async function countLevels(
  reading: Reading,
  filter: LineFilter,
  needles: Needles,
  steps: Steps | null,
): Promise<LevelCounts[]> {
  const counts = Array.from({ length: steps?.count ?? 1 }, (): LevelCounts => [0, 0, 0, 0]);
  const end = steps === null ? Infinity : steps.fromMs + steps.count * steps.stepMs;
  const fromMs = Math.max(steps?.fromMs ?? -Infinity, Math.ceil(filter.fromMs ?? -Infinity));
  const toMs = Math.min(end, Math.ceil(filter.toMs ?? Infinity));
  if (fromMs >= toMs) return counts;
  const bounds = steps === null ? [fromMs, toMs] : counts.map((_, i) => steps.fromMs + i * steps.stepMs).concat(end);
  const edges = bounds.map((ms) => Math.min(toMs, Math.max(fromMs, ms)));
  const plan = await reading.plan(null, { fromMs, toMs });
  const rest: Plan = { tables: plan.tables, segments: [], lost: [] };
  const told: Plan = { tables: [], segments: [], lost: plan.lost };
  for (const part of plan.segments) {
    if (part.loaded === null) rest.segments.push(part);
    else {
      addTimeline(counts, part, edges);
      const blocks = part.blocks?.filter(({ levels }) => (levels & needles.levels) !== 0) ?? null;
      told.segments.push({ ...part, blocks });
    }
  }
  // The timelines count what was stored; a search for these lines would not find them all.
  await reading.notice(told);
  if (!isEmpty(rest)) await addCounted(counts, reading, rest, { fromMs, toMs }, steps);
  for (const count of counts)
    for (let level = 0; level < LEVELS.length; level += 1) if ((needles.levels & (1 << level)) === 0) count[level] = 0;
  return counts;
}

function addTimeline(counts: LevelCounts[], { loaded }: SegmentPart, edges: readonly number[]): void {
  const { timeline, timelineOffset, timelineBytes } = loaded!.index;
  const data = loaded!.data.subarray(timelineOffset, timelineOffset + timelineBytes);
  const before = countsBefore(timeline, data, edges);
  for (const [i, count] of counts.entries())
    for (let level = 0; level < LEVELS.length; level += 1) count[level]! += before[i + 1]![level]! - before[i]![level]!;
}

async function addCounted(
  counts: LevelCounts[],
  reading: Reading,
  plan: Plan,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  steps: Steps | null,
): Promise<void> {
  const step = steps === null ? '0' : `(sort_ms - ${integer(steps.fromMs)}) // ${integer(steps.stepMs)}`;
  const where = ['TRUE'];
  if (Number.isFinite(fromMs)) where.push(`sort_ms >= ${integer(fromMs)}`);
  if (Number.isFinite(toMs)) where.push(`sort_ms < ${integer(toMs)}`);
  const sql = (from: string) =>
    `SELECT ${step} AS step, level, count(*) FROM ${from} WHERE ${where.join(' AND ')} GROUP BY ALL`;
  for (const [at, level, count] of await reading.ask(plan, sql)) {
    const bucket = counts[Number(at)];
    if (bucket !== undefined) bucket[Number(level)]! += Number(count);
  }
}

import { isWebvirtError } from '../../common/errors.ts';
import type { Line } from '../../common/model/line.ts';
import type { RuleDraft } from '../../common/model/rule.ts';
import { expectedGroups } from './expected.ts';
import { groupOfRow, isOwnLine } from './group.ts';
import { rowOfLine } from './line-row.ts';
import type { AlertLines, KnownGroups } from './ports.ts';
import { createSlices } from './slices.ts';
import { createWatches } from './watches.ts';
import type { Happening } from './window.ts';

export interface PreviewConfig {
  backMs: number;
  /** Lines and time that one preview may take; further back it does not look. */
  limitLines: number;
  limitMs: number;
}

export const PREVIEW_DEFAULTS: PreviewConfig = { backMs: 86_400_000, limitLines: 20_000, limitMs: 4_000 };
const LIMIT_TIMES = 1_000;

export interface Preview {
  /** When it would have fired, oldest first; the newest of them if they are too many. */
  times: { tsMs: number; group: string | null; count: number }[];
  fired: number;
  linesSeen: number;
  fromMs: number;
  toMs: number;
  /** False: it was looked back to `fromMs` only. */
  complete: boolean;
}

/**
 * How often a draft would have fired lately: the lines of the store through the very window that live lines go through.
 * Throws `bad-query`, or what the store says.
 */
export async function preview(
  draft: RuleDraft,
  config: PreviewConfig,
  deps: { lines: Pick<AlertLines, 'search'>; known: KnownGroups; nowMs: () => number },
  signal?: AbortSignal,
): Promise<Preview> {
  const toMs = deps.nowMs();
  const wantedMs = toMs - config.backMs;
  const found: Line[] = [];
  let backToMs = toMs;
  const limit = AbortSignal.timeout(config.limitMs);
  let complete = false;
  try {
    const page = await deps.lines.search(
      { ...draft.query, fromMs: wantedMs, toMs: toMs + 1 },
      {
        limit: config.limitLines,
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        onFound: (lines) => void found.push(...lines),
        onLooked: (looked) => {
          backToMs = looked;
        },
      },
    );
    complete = page.next === null;
  } catch (error) {
    if (!(isWebvirtError(error, 'op-cancelled') || isWebvirtError(error, 'timeout')) || !limit.aborted) throw error;
  }
  const oldest = found.at(-1);
  const fromMs = complete ? wantedMs : Math.min(backToMs, oldest === undefined ? toMs : sortMs(oldest));
  const told = await replay(draft, found.reverse(), { fromMs, toMs }, deps.known);
  const times = told
    .filter(({ what }) => what === 'fired')
    .map(({ tsMs, group, count }) => ({ tsMs: Math.round(tsMs), group, count }))
    .sort((a, b) => a.tsMs - b.tsMs);
  return { times: times.slice(-LIMIT_TIMES), fired: times.length, linesSeen: found.length, fromMs, toMs, complete };
}

/** What a rule would have told of these lines, oldest first. Silence: of the groups that are there now, too. */
export async function replay(
  draft: Pick<RuleDraft, 'condition' | 'quietMs' | 'groupBy' | 'query'>,
  lines: Iterable<Line>,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  known: KnownGroups,
): Promise<Happening[]> {
  const watches = createWatches(draft);
  const slices = createSlices(() => performance.now());
  const told: Happening[] = [];
  // Silence of whoever is not there is no silence: others are let go by the live rule within a second.
  const expected = draft.condition.kind === 'silence' ? expectedGroups(draft, known) : null;
  const only = expected === null ? null : new Set(expected);
  if (expected !== null) watches.expect(expected, fromMs);
  for (const line of lines) {
    await slices.rest();
    const row = rowOfLine(line);
    if (isOwnLine(row)) continue;
    const sighting = { id: line.id, message: () => line.message };
    const group = groupOfRow(row, draft.groupBy);
    if (only !== null && !only.has(group)) continue;
    told.push(...watches.observe(group, sortMs(line), sighting));
  }
  told.push(...watches.advance(toMs));
  return told;
}

function sortMs(line: Line): number {
  return line.sortMs ?? line.tsMs;
}

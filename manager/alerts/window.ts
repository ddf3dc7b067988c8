import type { RuleCondition } from '../../common/model/rule.ts';

/** Up to so many lines are counted to the millisecond; more in steps of a 512th of the time. */
const LIMIT_EXACT = 512;
const LIMIT_SLOTS = 600;
const LIMIT_MESSAGE = 500;

/**
 * What a rule knows of one group. Plain data: it is kept as JSON. All times are of one clock: the time of the lines where
 * lines are counted, the time that was watched for silence.
 */
export interface Watch {
  group: string | null;
  /** Times of the lines that count, ascending, and how many there are of each. */
  at: number[];
  n: number[];
  /** Time of the newest line, or since when lines are waited for. */
  lastMs: number;
  /** `fired`: the condition holds and was told; `held`: it holds within the quiet time. */
  over: 'fired' | 'held' | null;
  sinceMs: number;
  /** While it holds and lines are counted: when it would end without further ones. */
  endsMs: number;
  quietUntilMs: number | null;
  /** Lines since it began. */
  total: number;
  line: string | null;
  message: string | null;
}

/** One thing that happened to a group. */
export interface Happening {
  what: 'fired' | 'ended' | 'held-quiet';
  group: string | null;
  tsMs: number;
  count: number;
  line: string | null;
  message: string | null;
}

/** A line that matched. Its text is asked for only when it is told. */
export interface Sighting {
  id: string;
  message(): string;
}

export interface WindowRule {
  condition: RuleCondition;
  quietMs: number;
}

export function newWatch(group: string | null, nowMs: number): Watch {
  return {
    ...{ group, at: [], n: [], lastMs: nowMs, over: null, sinceMs: 0, endsMs: 0, quietUntilMs: null },
    ...{ total: 0, line: null, message: null },
  };
}

/**
 * A line came. The same function stands behind the live rules and the preview: what it tells depends on the lines and
 * their times alone, not on when it is called.
 */
export function observe(watch: Watch, rule: WindowRule, tsMs: number, sighting: Sighting): Happening[] {
  // A line that comes in the very moment in which the others are too few still counts.
  const told = advance(watch, rule, tsMs, rule.condition.kind === 'lines');
  const isNewest = tsMs >= watch.lastMs;
  watch.lastMs = Math.max(watch.lastMs, tsMs);
  if (rule.condition.kind === 'silence') {
    if (watch.over !== null) end(watch, Math.max(tsMs, watch.sinceMs), told);
    return told;
  }
  if (isNewest) watch.line = sighting.id;
  const endsMs = count(watch, rule.condition, tsMs);
  if (watch.over !== null) {
    watch.total += 1;
    if (endsMs !== null) watch.endsMs = Math.max(watch.endsMs, endsMs);
    return told;
  }
  if (endsMs === null) return told;
  watch.endsMs = endsMs;
  watch.total = rule.condition.count;
  watch.line = sighting.id;
  watch.message = sighting.message().slice(0, LIMIT_MESSAGE);
  begin(watch, rule, tsMs, told);
  return told;
}

/** Time went by: what ended, what was held back and is told now, and what has been silent for too long. */
export function advance(watch: Watch, rule: WindowRule, nowMs: number, isLineDue = false): Happening[] {
  const told: Happening[] = [];
  const { condition } = rule;
  if (condition.kind === 'silence') {
    const dueMs = watch.lastMs + condition.withinMs;
    if (watch.over === null && nowMs >= dueMs) begin(watch, rule, dueMs, told);
  }
  const endsMs = condition.kind === 'silence' ? Infinity : watch.endsMs;
  const { quietUntilMs } = watch;
  if (watch.over === 'held' && quietUntilMs !== null && quietUntilMs < endsMs && nowMs >= quietUntilMs) {
    watch.over = 'fired';
    watch.quietUntilMs = quietUntilMs + rule.quietMs;
    told.push(happening('fired', watch, quietUntilMs));
  }
  if (watch.over !== null && (isLineDue ? nowMs > endsMs : nowMs >= endsMs)) end(watch, endsMs, told);
  return told;
}

/** The newest line of a group may be ahead of this clock by so much: managers that share a store have each their own. */
const LIMIT_AHEAD_MS = 60_000;

/**
 * The clock was set back when a line is far in the future: all of the watch goes back with it, or it would neither count nor
 * fire nor end until the clock is there again. True when something changed.
 */
export function rewind(watch: Watch, rule: WindowRule, nowMs: number): boolean {
  const stepMs = watch.lastMs - nowMs;
  if (rule.condition.kind === 'silence' || stepMs <= LIMIT_AHEAD_MS) return false;
  watch.at = watch.at.map((tsMs) => tsMs - stepMs);
  watch.lastMs = nowMs;
  watch.sinceMs -= stepMs;
  watch.endsMs -= stepMs;
  if (watch.quietUntilMs !== null) watch.quietUntilMs -= stepMs;
  return true;
}

/** True when forgetting the group changes nothing that is told later. */
export function isIdle(watch: Watch, rule: WindowRule, nowMs: number): boolean {
  if (watch.over !== null || (watch.quietUntilMs ?? -Infinity) > nowMs) return false;
  return rule.condition.kind === 'lines' && watch.lastMs + rule.condition.withinMs < nowMs;
}

function begin(watch: Watch, rule: WindowRule, tsMs: number, told: Happening[]): void {
  const held = watch.quietUntilMs !== null && tsMs < watch.quietUntilMs;
  watch.over = held ? 'held' : 'fired';
  watch.sinceMs = tsMs;
  if (!held) watch.quietUntilMs = tsMs + rule.quietMs;
  told.push(happening(held ? 'held-quiet' : 'fired', watch, tsMs));
}

function end(watch: Watch, tsMs: number, told: Happening[]): void {
  // What nobody was told of ends without a word.
  if (watch.over === 'fired') told.push(happening('ended', watch, tsMs));
  watch.over = null;
  watch.total = 0;
}

function happening(what: Happening['what'], watch: Watch, tsMs: number): Happening {
  return { what, group: watch.group, tsMs, count: watch.total, line: watch.line, message: watch.message };
}

type Lines = Extract<RuleCondition, { kind: 'lines' }>;

/** Counts a line in. Answers when the window that it completes is over, or null when there are not enough lines. */
function count(watch: Watch, { count: least, withinMs }: Lines, tsMs: number): number | null {
  const stepMs = least <= LIMIT_EXACT ? 1 : Math.ceil(withinMs / LIMIT_EXACT);
  const slotMs = Math.floor(tsMs / stepMs) * stepMs;
  const { at, n } = watch;
  let place = at.length;
  while (place > 0 && at[place - 1]! > slotMs) place -= 1;
  if (place > 0 && at[place - 1] === slotMs) {
    place -= 1;
    n[place]! += 1;
  } else {
    at.splice(place, 0, slotMs);
    n.splice(place, 0, 1);
  }
  const endsMs = windowEnd(watch, place, least, withinMs);
  if (at.length > LIMIT_SLOTS) {
    at.shift();
    n.shift();
  }
  return endsMs;
}

/** The latest end of a window with enough lines that holds this place. Lines may come late, in any order. */
function windowEnd({ at, n }: Watch, place: number, least: number, withinMs: number): number | null {
  let last = place;
  while (last + 1 < at.length && at[last + 1]! < at[place]! + withinMs) last += 1;
  for (let to = last; to >= place; to -= 1) {
    let sum = 0;
    for (let from = to; from >= 0 && at[from]! > at[to]! - withinMs; from -= 1) {
      sum += n[from]!;
      // The window must hold the line that came; the others were looked at when theirs did.
      if (sum >= least) return at[Math.min(from, place)]! + withinMs;
    }
  }
  return null;
}

import type { LineQuery } from '../../common/model/search.ts';
import { queryOf } from '../../common/pure/query/filter.ts';
import { fold } from '../../common/pure/query/fold.ts';
import { compileMatcher, type Matcher } from '../../common/pure/query/match.ts';
import { re2Engine } from '../../common/pure/query/re2-engine.ts';
import type { QueryRow } from '../../common/pure/query/row.ts';
import type { RulePosition, StoredRule } from '../store/ports.ts';
import { expectedGroups } from './expected.ts';
import { groupOfRow } from './group.ts';
import type { KnownGroups } from './ports.ts';
import { createWatches, type Watches } from './watches.ts';
import type { Happening, Sighting, Watch } from './window.ts';

/** The clocks of rules: the wall, and how long this manager has been watching over all its starts. */
export interface Clocks {
  nowMs: number;
  upMs: number;
}

/** A rule at work. */
export interface RuleWatch {
  readonly rule: StoredRule;
  /** Arrival number of the last line that was looked at. */
  position: number;
  /** In a store that managers share: where it began, and the last number of each of them since. See `hasSeen`. */
  floor: number;
  reached: number[];
  lastFiredMs: number | null;
  readonly watches: Watches;
  /** A line that matches; `sortMs` is the time it is ordered by. */
  see(row: QueryRow, sortMs: number, sighting: Sighting, clocks: Clocks): Happening[];
  /** Tells the end of all for which it fires: the rule goes away, or is another from now on. */
  endAll(clocks: Clocks, why: string): Happening[];
  /** Tells again what it fires for. */
  again(clocks: Clocks): Happening[];
  /** Time went by, and nothing that came before waits to be seen. `known` is asked for silence alone. */
  tick(clocks: Clocks, known: KnownGroups): Happening[];
}

/** Lines of several hosts come a little out of order: what they end or begin is decided this much later. */
const HOLD_BACK_MS = 2_000;

export function createRuleWatch(
  rule: StoredRule,
  kept: Pick<RulePosition, 'position' | 'lastFiredMs' | 'places'> & { watches: readonly Watch[] },
): RuleWatch {
  const watches = createWatches(rule, kept.watches);
  const { groupBy, condition } = rule;
  const isSilence = condition.kind === 'silence';

  // Silence is watched on a clock that stands while this manager does not run: what it missed is no silence.
  const onWall = (told: Happening[], { nowMs, upMs }: Clocks) =>
    told.map((one) => ({ ...one, tsMs: nowMs - (upMs - one.tsMs) }));

  return {
    rule,
    position: kept.position,
    floor: kept.places?.floor ?? kept.position,
    reached: [...(kept.places?.reached ?? [])],
    lastFiredMs: kept.lastFiredMs,
    watches,
    see(row, sortMs, sighting, clocks) {
      const group = groupOfRow(row, groupBy);
      if (!isSilence) return watches.observe(group, sortMs, sighting);
      return onWall(watches.observe(group, clocks.upMs, sighting), clocks);
    },
    endAll: ({ nowMs }, why) => watches.endAll(nowMs, why),
    again: ({ nowMs }) => watches.again(nowMs),
    tick(clocks, known) {
      if (!isSilence) {
        watches.rewind(clocks.nowMs);
        return watches.advance(clocks.nowMs - HOLD_BACK_MS);
      }
      const groups = expectedGroups(rule, known);
      const told = groups === null ? watches.forgetLost(clocks.upMs) : watches.expect(groups, clocks.upMs);
      return onWall([...told, ...watches.advance(clocks.upMs)], clocks);
    },
  };
}

/** What lines a rule looks at: rules of the same filter share one. */
export interface Channel {
  readonly key: string;
  /** True when no line of this host can match. */
  passesHost(origin: { host: string; hostName: string }): boolean;
  matches: Matcher;
}

/** Throws `bad-query`. */
export function createChannel(query: LineQuery): Channel {
  const compiled = queryOf(query);
  const host = query.host === undefined ? null : fold(query.host);
  return {
    key: channelKey(query),
    passesHost: (origin) => host === null || fold(origin.host) === host || fold(origin.hostName) === host,
    matches: compiled.terms.length === 0 ? () => true : compileMatcher(compiled, re2Engine),
  };
}

/** The same filter has the same key, however it was written down. */
export function channelKey({ q, level, host, instance, source, job, session }: LineQuery): string {
  return JSON.stringify([q.trim(), ...[level, host, instance, source, job, session].map((value) => value ?? null)]);
}

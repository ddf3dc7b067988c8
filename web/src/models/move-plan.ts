import type { MigrationCheck, MigrationChecks } from '../../../common/model/migration.ts';
import { byName } from './by-name.ts';

export type Verdict = 'good' | 'warn' | 'bad';

export interface TargetChoice {
  id: string;
  name: string;
  verdict: Verdict;
  /** In words: `can move`, `can move, 2 to weigh`, `cannot move: memory`. */
  words: string;
}

const RANK: Record<Verdict, number> = { good: 0, warn: 1, bad: 2 };
const CHECK_RANK: Record<MigrationCheck['verdict'], number> = { fail: 0, warn: 1, ok: 2 };

function verdictOf(checks: MigrationChecks): Verdict {
  if (!checks.movable) return 'bad';
  return checks.checks.some(({ verdict }) => verdict !== 'ok') ? 'warn' : 'good';
}

/** What a check is called on the screen: `target-online` → `target online`. */
export const checkName = (check: string) => check.replaceAll('-', ' ');

/**
 * The targets, movable ones first, then by name. Those of `order` keep their places when they are asked for anew, so
 * that nothing moves under the pointer.
 */
export function targetChoices(all: readonly MigrationChecks[], order: readonly string[] = []): TargetChoice[] {
  const place = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  return all
    .map((one): TargetChoice => {
      const verdict = verdictOf(one);
      const failed = one.checks.filter((check) => check.verdict === 'fail').map(({ check }) => checkName(check));
      const weigh = one.checks.filter((check) => check.verdict === 'warn').length;
      const words =
        verdict === 'bad'
          ? `cannot move: ${failed.join(', ') || 'see the checks'}`
          : verdict === 'warn'
            ? `can move, ${weigh} to weigh`
            : 'can move';
      return { id: one.target, name: one.targetName, verdict, words };
    })
    .sort((a, b) => place(a.id) - place(b.id) || RANK[a.verdict] - RANK[b.verdict] || byName(a.name, b.name));
}

/** The checks of one target: what keeps it from moving first, then what is to weigh. */
export function orderedChecks(checks: readonly MigrationCheck[]): MigrationCheck[] {
  return [...checks].sort((a, b) => CHECK_RANK[a.verdict] - CHECK_RANK[b.verdict]);
}

/** The longest stop of a guest that the manager takes. */
const MOST_DOWNTIME_MS = 60_000;

/** A limit of the downtime as it is typed, milliseconds: undefined when empty, null when it is none. */
export function downtimeOf(text: string): number | undefined | null {
  if (text.trim() === '') return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  return ms >= 1 && ms <= MOST_DOWNTIME_MS ? ms : null;
}

import type { JobDetail } from '../../../common/model/job.ts';
import type { MigrationResult } from '../../../common/model/migration.ts';

/** A rate below this share of the dirty rate is called not converging: the rest would take for ever. */
const CONVERGES_ABOVE = 1.02;

/**
 * How long a copy will still take, milliseconds. `null`: cannot be said yet. `Infinity`: never at these rates, because
 * the guest changes its memory as fast as it is copied.
 */
export function timeLeftMs(detail: JobDetail): number | null {
  const { remainingBytes, rateBps, dirtyRateBps = 0 } = detail;
  if (remainingBytes === undefined || rateBps === undefined || rateBps <= 0) return null;
  if (remainingBytes === 0) return 0;
  // The first round copies everything once, whatever the guest does meanwhile.
  const firstRound = (detail.rounds ?? 1) <= 1;
  if (firstRound || dirtyRateBps === 0) return (remainingBytes / rateBps) * 1_000;
  if (rateBps < dirtyRateBps * CONVERGES_ABOVE) return Number.POSITIVE_INFINITY;
  return (remainingBytes / (rateBps - dirtyRateBps)) * 1_000;
}

/** The result of a job as that of a migration, or null when it is of something else. */
export function moveResult(verb: string, result: Record<string, unknown> | null): MigrationResult | null {
  if (verb !== 'migrate' || result === null) return null;
  const number = (key: keyof MigrationResult) => (typeof result[key] === 'number' ? (result[key] as number) : null);
  const totalMs = number('totalMs');
  if (totalMs === null) return null;
  return {
    source: String(result['source'] ?? ''),
    target: String(result['target'] ?? ''),
    totalMs,
    downtimeMs: number('downtimeMs'),
    memoryBytes: number('memoryBytes'),
    transferredBytes: number('transferredBytes'),
    rounds: number('rounds'),
  };
}

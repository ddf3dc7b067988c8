import type { MigrationResult } from '../../common/model/migration.ts';
import type { Look } from '../../common/wire/migration.ts';
import type { StoredJob } from '../store/ports.ts';
import type { JobReport } from './ports.ts';

/**
 * The numbers of a move that was done: as the source's agent heard them, else as the target's libvirt keeps them. Times in
 * milliseconds, sizes in bytes. `note` is for people, where the end had to be decided.
 */
export function resultOf(
  job: StoredJob,
  report: JobReport | null,
  target: Look | null,
  note?: string,
): MigrationResult & { note?: string } {
  const told = report?.result ?? {};
  const live = job.args['live'] === true;
  const completed = live ? (target?.completed ?? null) : null;
  const number = (key: string) => (typeof told[key] === 'number' ? (told[key] as number) : null);
  return {
    source: job.host ?? '',
    target: job.target ?? '',
    totalMs: number('totalMs') ?? completed?.elapsedMs ?? Math.max(0, Date.now() - (job.startedMs ?? job.createdMs)),
    downtimeMs: number('downtimeMs') ?? completed?.downtimeMs ?? null,
    memoryBytes: number('memoryBytes') ?? completed?.totalBytes ?? null,
    transferredBytes: number('transferredBytes') ?? completed?.processedBytes ?? null,
    rounds: number('rounds') ?? completed?.rounds ?? null,
    ...(note === undefined ? {} : { note }),
  };
}

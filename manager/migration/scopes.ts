import type { StoredJob } from '../store/ports.ts';
import type { MigrationDeps } from './ports.ts';

/** Tells both hosts of a move that their lines about the instance belong to its job, again at each new link. */
export function createJobScopes(deps: Pick<MigrationDeps, 'link'>) {
  const open = new Map<string, StoredJob>();

  function tell(hostId: string | null | undefined, job: StoredJob, isOpen: boolean): void {
    if (!hostId || job.instance === null) return;
    const { id: opId, instance } = job;
    deps.link.send(hostId, { t: 'scope', opId, instance, name: job.instanceName ?? '', open: isOpen });
  }

  return {
    open(job: StoredJob): void {
      open.set(job.id, job);
      for (const host of [job.target, job.host]) tell(host, job, true);
    },
    close(job: StoredJob): void {
      if (!open.delete(job.id)) return;
      for (const host of [job.target, job.host]) tell(host, job, false);
    },
    up(hostId: string): void {
      for (const job of open.values()) if (job.host === hostId || job.target === hostId) tell(hostId, job, true);
    },
  };
}

import { WebvirtError } from '../../common/errors.ts';
import type { StoredJob } from '../store/ports.ts';

/** Which verb may take an instance from which: an operator who waits for a shutdown may pull the plug. */
const PREEMPTS: Record<string, readonly string[]> = { 'force-off': ['shutdown'] };

/** One operation per instance at a time. `onChange` is told who holds an instance now. */
export interface InstanceLocks {
  /** Throws `busy`, naming the holder, unless the instance is free or the verb may pre-empt its holder. */
  mustBeFree(instance: string, instanceName: string | null, verb: string): void;
  take(job: StoredJob): void;
  /** Frees the instance if this job still holds it. */
  release(job: StoredJob): void;
}

export function createInstanceLocks(onChange: (instance: string, jobId: string | null) => void): InstanceLocks {
  const holders = new Map<string, { id: string; verb: string; actor: string }>();
  return {
    mustBeFree(instance, instanceName, verb) {
      const holder = holders.get(instance);
      if (holder === undefined || PREEMPTS[verb]?.includes(holder.verb)) return;
      throw new WebvirtError(
        'busy',
        `Instance ${instanceName ?? instance} is held by job ${holder.id} (${holder.verb}, asked by ${holder.actor}). Wait until it ends, or cancel it.`,
        { instance, holder: holder.id, holderVerb: holder.verb, verb },
      );
    },
    take(job) {
      if (job.instance === null) return;
      holders.set(job.instance, { id: job.id, verb: job.verb, actor: job.actor });
      onChange(job.instance, job.id);
    },
    release(job) {
      if (job.instance === null || holders.get(job.instance)?.id !== job.id) return;
      holders.delete(job.instance);
      onChange(job.instance, null);
    },
  };
}

// Jobs of the pretended manager that take time: they begin, tell how far they are, and end.
import type { Job } from '../../common/model/job.ts';
import type { Line } from '../../common/model/line.ts';
import type { MockState } from './mock-api.ts';
import { makeLine } from './mock-lines.ts';

export const TICK_MS = 250;

const timers = new Map<string, ReturnType<typeof setInterval>>();

export function told(state: MockState, made: Job, host: string, source: Line['source'], message: string): void {
  const hostName = state.world.hosts.find(({ id }) => id === host)?.name ?? '';
  const line = {
    ...makeLine(state.world, Date.now()),
    host,
    hostName,
    source,
    message,
    level: 'info' as const,
    job: made.id,
  };
  state.addLines([made.instance === null ? line : { ...line, instance: made.instance }]);
}

export function begin(state: MockState, made: Job): Job {
  state.world.jobs.unshift(made);
  state.changed('/api/v1/jobs');
  return made;
}

export function end(state: MockState, made: Job, outcome: Partial<Job>): void {
  clearInterval(timers.get(made.id));
  timers.delete(made.id);
  delete made.detail;
  Object.assign(made, { endedMs: Date.now(), progress: null }, outcome);
  for (const uri of ['/api/v1/jobs', '/api/v1/instances', '/api/v1/images']) state.changed(uri);
}

/** Runs `tick` every quarter of a second with the time since the beginning, until the job has ended. */
export function run(state: MockState, made: Job, tick: (elapsedMs: number) => void): void {
  const began = Date.now();
  timers.set(
    made.id,
    setInterval(() => {
      tick(Date.now() - began);
      state.changed('/api/v1/jobs');
    }, TICK_MS),
  );
}

/** Ends a running job for who asked; false when it has ended already. */
export function cancel(state: MockState, made: Job): boolean {
  if (!timers.has(made.id)) return false;
  const moved = state.world.instances.find(({ busyJob }) => busyJob === made.id);
  if (moved !== undefined) moved.busyJob = null;
  const message = 'Cancelled by admin@localhost; the instance runs on where it was.';
  end(state, made, { state: 'cancelled', error: { code: 'op-cancelled', message } });
  return true;
}

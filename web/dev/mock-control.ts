import type { Line } from '../../common/model/line.ts';
import type { MockState } from './mock-api.ts';
import { makeLine } from './mock-lines.ts';

/** What a test may do to the pretended world from outside; false when there is no such word. */
export function controlWorld(state: MockState, path: string, body: Record<string, unknown>): boolean {
  const { world } = state;
  if (path === '/mock/lines')
    state.addLines((body['lines'] as Partial<Line>[]).map((line) => ({ ...makeLine(world, Date.now()), ...line })));
  else if (path === '/mock/flood')
    for (let i = 0; i < Number(body['batches']); i += 1)
      state.addLines(Array.from({ length: Number(body['size']) }, () => makeLine(world, Date.now())));
  else if (path === '/mock/stream') streamLines(state, Number(body['perSecond']), Number(body['seconds']));
  else if (path === '/mock/instance') {
    Object.assign(world.instances[Number(body['index'])]!, body['set']);
    state.changed('/api/v1/instances');
  } else if (path === '/mock/add-instance') {
    world.instances.push({ ...structuredClone(world.instances[0]!), ...(body['set'] as object) });
    state.changed('/api/v1/instances');
  } else if (path === '/mock/job') {
    world.jobs.unshift({ ...structuredClone(world.jobs[0]!), ...(body['set'] as object) });
    state.changed('/api/v1/jobs');
  } else if (path === '/mock/enrolled') {
    const found = world.candidates[0]!;
    world.hosts.push({ ...structuredClone(world.hosts[0]!), id: found.id, name: 'juniper' });
    state.changed('/api/v1/hosts');
  } else return path === '/mock/calls';
  return true;
}

const STREAM_STEP_MS = 20;

/** So many lines a second for so long, in the steps of a busy manager. */
function streamLines(state: MockState, perSecond: number, seconds: number): void {
  const startedMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(Math.min(seconds, (performance.now() - startedMs) / 1_000) * perSecond);
    const nowMs = Date.now();
    state.addLines(Array.from({ length: due - sent }, () => makeLine(state.world, nowMs)));
    sent = due;
    if (sent >= perSecond * seconds) clearInterval(timer);
  }, STREAM_STEP_MS);
}

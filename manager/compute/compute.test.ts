import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { NumberedEvent, Session } from '../../common/model/compute.ts';
import {
  type ComputeWorld,
  hasDied,
  hasEnded,
  numbers,
  startComputeWorld,
  watch,
} from '../../test/support/compute-world.ts';
import { type FakeComputeServer, startFakeComputeServer } from '../../test/support/fake-compute-server.ts';
import { untilBody } from '../../test/support/live.ts';
import type { HostedServer, RunAnswer } from './ports.ts';

let world: ComputeWorld;
let server: FakeComputeServer;

beforeAll(async () => {
  world = await startComputeWorld();
  server = await startFakeComputeServer(world.socketPath);
  await untilReady();
});
afterAll(async () => {
  await world.stop();
  await server.stop();
});
afterEach(async () => {
  for (const { id, state } of await world.get<Session[]>('/api/v1/compute/sessions'))
    if (state !== 'dead') await world.call('DELETE', `/api/v1/compute/sessions/${id}`);
});

const untilReady = () =>
  untilBody<HostedServer[]>(world.socket(), '/api/v1/compute/servers', (list) =>
    list.some(({ state, stale }) => state === 'ready' && !stale),
  );
const open = (over: object = {}) => world.post<Session>('/api/v1/compute/sessions', { kernel: 'python', ...over });
const cell = (id: string, code: string, over: object = {}) =>
  world.post<{ cell: number }>(`/api/v1/compute/sessions/${id}/cells`, { code, ...over });
const typesOf = (events: NumberedEvent[]) => events.map(({ event }) => event.type);
const run = (body: object) => world.post<RunAnswer>('/api/v1/compute/run', { kernel: 'python', ...body });

it('opens a session, runs a cell, and shows its output over HTTP and over the socket alike', async () => {
  const session = await open({ title: 'first' });
  expect(session).toMatchObject({ kernel: 'python', title: 'first', owner: 'local', cells: 0, death: null });
  expect(await cell(session.id, 'say hello\nvalue 5')).toEqual({ cell: 1 });
  const seen = watch(world.socket(), session.id);
  const live = await seen.until(hasEnded(1));
  expect(typesOf(live)).toEqual(['input', 'started', 'stdout', 'result', 'ended']);
  expect(numbers(live)).toEqual([0, 1, 2, 3, 4]);
  expect(await world.output(session.id)).toEqual(live);
  expect(await world.session(session.id)).toMatchObject({ state: 'idle', cells: 1, runningCell: null, nextSeq: 5 });
});

it('runs code once, ends its session, and keeps the output', async () => {
  const answer = await run({ code: 'value 5' });
  expect(answer).toMatchObject({ cell: 1, status: 'ok' });
  expect(typesOf(answer.events)).toEqual(['input', 'started', 'result', 'ended']);
  const seen = watch(world.socket(), answer.session);
  await seen.until(hasDied);
  expect(await world.session(answer.session)).toMatchObject({ state: 'dead', death: { cause: 'terminated' } });
});

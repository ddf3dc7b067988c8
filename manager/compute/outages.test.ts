import { afterEach, beforeEach, expect, it } from 'vitest';
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
import type { HostedServer } from './ports.ts';

let world: ComputeWorld;
let server: FakeComputeServer;

beforeEach(async () => {
  world = await startComputeWorld();
  server = await startFakeComputeServer(world.socketPath);
  await untilReady();
});
afterEach(async () => {
  await world.stop();
  await server.stop();
});

const untilServer = (test: (server: HostedServer) => boolean) =>
  untilBody<HostedServer[]>(world.socket(), '/api/v1/compute/servers', (list) => list.some(test));
const untilReady = () => untilServer(({ state, stale }) => state === 'ready' && !stale);
const untilSession = (id: string, test: (session: Session) => boolean) =>
  untilBody<Session>(world.socket(), `/api/v1/compute/sessions/${id}`, test);
const open = () => world.post<Session>('/api/v1/compute/sessions', { kernel: 'python' });
const cell = (id: string, code: string) => world.post(`/api/v1/compute/sessions/${id}/cells`, { code });
const hasOutput = (text: string) => (events: NumberedEvent[]) =>
  events.some(({ event }) => event.type === 'stdout' && event.text === `${text}\n`);
const typesOf = (events: NumberedEvent[]) => events.map(({ event }) => event.type);
const deathOf = (events: NumberedEvent[]) =>
  events.flatMap(({ event }) => (event.type === 'died' ? [event.death.cause] : []));

/** A session in the middle of its first cell, watched. */
async function midCell() {
  const { id } = await open();
  const seen = watch(world.socket(), id);
  await cell(id, 'say one\nwait\nsay two');
  await seen.until(hasOutput('one'));
  return { id, seen };
}

it('tells at once that sessions died with their compute server, runs nothing again, and opens new ones', async () => {
  const { id, seen } = await midCell();
  await cell(id, 'say never');
  await server.until(({ op, cell: number }) => op === 'execute' && number === 2);
  await server.stop();
  await seen.until(hasDied);
  expect(typesOf(seen.events)).toEqual(['input', 'started', 'stdout', 'input', 'ended', 'ended', 'died']);
  expect(deathOf(seen.events)).toEqual(['server-gone']);
  await untilServer(({ state, reason }) => state === 'absent' && reason !== null);
  const refused = await world.call('POST', '/api/v1/compute/sessions', { kernel: 'python' });
  expect(refused.body).toMatchObject({ err: 'no-kernel', message: expect.stringContaining('compute server ended') });
  await server.start();
  await untilReady();
  await midCell();
  expect(server.runs.map(({ cell: number }) => number)).toEqual([1, 1]);
});

it('tells that sessions died with their agent', async () => {
  const { id, seen } = await midCell();
  await world.stopAgent();
  await untilSession(id, ({ state }) => state === 'lost' || state === 'dead');
  await world.startAgent();
  await seen.until(hasDied);
  expect(deathOf(seen.events)).toEqual(['agent-gone']);
  expect(numbers(seen.events)).toEqual(seen.events.map((_, i) => i));
  await untilReady();
  const { status } = await world.post<{ status: string }>('/api/v1/compute/run', { kernel: 'python', code: 'value 1' });
  expect(status).toBe('ok');
  expect(server.runs).toHaveLength(2);
});

it('lets sessions go on while the manager is away, and takes what happened meanwhile exactly once', async () => {
  const { id, seen } = await midCell();
  await world.stopManager();
  server.release(id);
  await world.startManager();
  const again = watch(world.socket(), id, 1);
  await again.until(hasEnded(1));
  expect(typesOf(again.events)).toEqual(['started', 'stdout', 'stdout', 'ended']);
  expect(numbers(again.events)).toEqual([1, 2, 3, 4]);
  expect(again.events.slice(0, 2)).toEqual(seen.events.slice(1, 3));
  await untilSession(id, ({ state }) => state === 'idle');
  await cell(id, 'say three');
  await again.until(hasEnded(2));
  expect(numbers(again.events)).toEqual(again.events.map((_, i) => i + 1));
  expect(server.runs).toHaveLength(2);
});

it('does not know a session whose host is away, and ends it then if that was asked for', async () => {
  const { id } = await midCell();
  await world.stopManager();
  await world.startManager();
  // Until its host is linked again.
  const early = await world.session(id);
  if (early.state === 'lost') {
    const refused = await world.call('POST', `/api/v1/compute/sessions/${id}/cells`, { code: '1' });
    expect([refused.status, refused.body.err]).toEqual([503, 'host-unreachable']);
  }
  expect((await world.call('DELETE', `/api/v1/compute/sessions/${id}`)).status).toBe(202);
  const dead = await untilSession(id, ({ state }) => state === 'dead');
  expect(dead.death).toMatchObject({ cause: 'terminated', text: expect.stringContaining('stopped by') });
  expect(server.asked.filter(({ op }) => op === 'terminate').length).toBeGreaterThan(0);
});

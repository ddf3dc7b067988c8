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
import { type FakeComputeServer, LIMITS, startFakeComputeServer } from '../../test/support/fake-compute-server.ts';
import { tail, untilBody } from '../../test/support/live.ts';
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

it('answers the same opId with the same session, cell and result, and refuses it for anything else', async () => {
  const again = { kernel: 'python', opId: 'open-000001' };
  const first = await open(again);
  expect(first.id).toBe('open-000001');
  expect((await open(again)).id).toBe(first.id);
  expect((await world.call('POST', '/api/v1/compute/sessions', { ...again, title: 'x' })).body.err).toBe(
    'op-id-reused',
  );
  const path = `/api/v1/compute/sessions/${first.id}/cells`;
  expect(await cell(first.id, 'value 1', { opId: 'cell-000001' })).toEqual({ cell: 1 });
  expect(await cell(first.id, 'value 1', { opId: 'cell-000001' })).toEqual({ cell: 1 });
  expect((await world.call('POST', path, { code: 'value 2', opId: 'cell-000001' })).body.err).toBe('op-id-reused');
  expect(await cell(first.id, 'value 2')).toEqual({ cell: 2 });
  const once = { code: 'value 7', opId: 'run-000001' };
  const [a, b] = await Promise.all([run(once), run(once)]);
  expect(b).toEqual(a);
  expect(await run(once)).toMatchObject({ ...a, events: expect.arrayContaining(a.events) });
  expect(server.runs.filter(({ session }) => session === 'run-000001')).toHaveLength(1);
  const other = { kernel: 'python', ...once, code: 'value 8' };
  expect((await world.call('POST', '/api/v1/compute/run', other)).body.err).toBe('op-id-reused');
});

it('shows two viewers the same, each from the event it asked for, and a third one later', async () => {
  const { id } = await open();
  const early = watch(world.socket(), id);
  await early.attached;
  await cell(id, 'say one\nwait\nsay two');
  await early.until((events) => events.some(({ event }) => event.type === 'stdout'));
  const late = watch(world.socket(), id, 2);
  expect((await late.attached).nextSeq).toBe(3);
  server.release(id);
  await Promise.all([early.until(hasEnded(1)), late.until(hasEnded(1))]);
  expect(numbers(early.events)).toEqual([0, 1, 2, 3, 4]);
  expect(late.events).toEqual(early.events.slice(2));
  const last = watch(world.socket(), id, 4);
  expect(await last.until(hasEnded(1))).toEqual(early.events.slice(4));
});

it('brings a flood whole to those who read, in order and without a hole', async () => {
  const { id } = await open();
  const seen = watch(world.socket(), id);
  await seen.attached;
  await cell(id, 'flood 20000 100\nimage 3000000');
  await seen.until(hasEnded(1));
  expect(numbers(seen.events)).toEqual(seen.events.map((_, i) => i));
  const text = seen.events.map(({ event }) => (event.type === 'stdout' ? event.text : '')).join('');
  expect(text.split('\n').map((line) => line.split(' ')[0])).toEqual([
    ...Array.from({ length: 20_000 }, (_, i) => String(i)),
    '',
  ]);
  expect(await world.output(id)).toEqual(seen.events);
});

it('says running when the time is over, interrupts the cell, drops those that wait, and stays', async () => {
  const answer = await run({ code: 'say begun\nwait', timeoutMs: 20, keep: true });
  expect(answer.status).toBe('running');
  const seen = watch(world.socket(), answer.session);
  await cell(answer.session, 'value 2');
  await seen.until((events) => events.some(({ event }) => event.type === 'stdout'));
  await world.post(`/api/v1/compute/sessions/${answer.session}/interrupt`);
  await seen.until(hasEnded(2));
  const ends = seen.events.flatMap(({ event }) => (event.type === 'ended' ? [event.status] : []));
  expect(ends).toEqual(['interrupted', 'interrupted']);
  await cell(answer.session, 'value 3');
  await seen.until(hasEnded(3));
  expect(await world.session(answer.session)).toMatchObject({ state: 'idle', cells: 3 });
});

it('ends a run that took too long to be waited for as soon as its cell has ended', async () => {
  const answer = await run({ code: 'wait\nvalue 1', timeoutMs: 10 });
  expect(answer.status).toBe('running');
  const seen = watch(world.socket(), answer.session);
  await seen.attached;
  server.release(answer.session);
  await seen.until(hasDied);
  expect(typesOf(seen.events)).toEqual(['input', 'started', 'result', 'ended', 'died']);
});

it('tells how a session died, and refuses what comes after', async () => {
  const answer = await run({ code: 'say x\ndie out-of-memory' });
  expect(answer.status).toBe('died');
  const late = await world.call('POST', `/api/v1/compute/sessions/${answer.session}/cells`, { code: '1' });
  expect([late.status, late.body.err]).toEqual([410, 'session-ended']);
  expect((await world.session(answer.session)).death).toEqual({
    cause: 'out-of-memory',
    text: 'proof of out-of-memory',
  });
});

it('completes what is typed, and answers with nothing while the session computes', async () => {
  const { id } = await open();
  const socket = world.socket();
  const seen = watch(socket, id);
  await cell(id, 'value 1');
  await seen.until(hasEnded(1));
  const complete = () =>
    new Promise((resolve) => {
      socket.emit('compute:complete', { session: id, code: 'fac', cursor: 3 }, resolve);
    });
  expect(await complete()).toEqual({ err: null, data: { matches: ['fac_done'], start: 0, end: 3 } });
  await cell(id, 'wait');
  expect(await complete()).toEqual({ err: null, data: { matches: [], start: 3, end: 3 } });
});

it('writes lines of what happens, each with its session', async () => {
  const { session } = await run({ code: 'value 1' });
  await watch(world.socket(), session).until(hasDied);
  const lines = tail(world.socket(), { session, backlog: 100 });
  const last = 'Computation session ended';
  await lines.until((all) => all.some(({ source, message }) => source === 'compute' && message === last));
  expect(new Set(lines.lines.map((line) => line.session))).toEqual(new Set([session]));
  expect(lines.lines.filter(({ source }) => source === 'compute').map(({ message }) => message)).toEqual([
    'Computation session opened',
    'Cell begun',
    'Cell ended',
    last,
  ]);
  // More may come while the store answers.
  const seen = lines.lines.map(({ id }) => id);
  const stored = await world.get<{ lines: { id: string; session: string }[] }>(`/api/v1/logs?session=${session}`);
  expect(new Set(stored.lines.map((line) => line.session))).toEqual(new Set([session]));
  expect(stored.lines.map(({ id }) => id)).toEqual(expect.arrayContaining(seen));
});

it('ends a session that nobody uses or watches, and keeps one that is watched', async () => {
  const [used, idle] = [await open(), await open()];
  const seen = watch(world.socket(), used.id);
  await seen.attached;
  server.state({ limits: { ...LIMITS, idleMs: 10 } });
  const dead = await untilBody<Session>(
    world.socket(),
    `/api/v1/compute/sessions/${idle.id}`,
    ({ state }) => state === 'dead',
  );
  expect(dead.death?.cause).toBe('idle');
  expect((await world.session(used.id)).state).toBe('idle');
  server.state({ limits: LIMITS });
});

it('refuses clearly: no such kernel, no room, not contained, no such host', async () => {
  const refused = async (body: object) => {
    const answer = await world.call('POST', '/api/v1/compute/sessions', { kernel: 'python', ...body });
    return [answer.status, answer.body.err];
  };
  expect(await refused({ kernel: 'sage' })).toEqual([503, 'no-kernel']);
  expect(await refused({ host: 'nowhere' })).toEqual([404, 'not-found']);
  await Promise.all([open(), open(), open(), open()]);
  expect(await refused({})).toEqual([503, 'no-capacity']);
  const told = () =>
    untilBody<HostedServer[]>(world.socket(), '/api/v1/compute/servers', ([one]) => one?.state === 'refused');
  server.state({ state: 'refused', reason: 'the network namespace does not hold' });
  await told();
  const { body } = await world.call('POST', '/api/v1/compute/run', { kernel: 'python', code: '1' });
  expect(body).toMatchObject({ err: 'not-contained', message: expect.stringContaining('does not hold') });
  server.state({ state: 'ready', reason: null });
  await untilReady();
});

it('gives the reason of the only host when that refuses after all', async () => {
  server.refuse('no-capacity', 'no child could be made');
  const { status, body } = await world.call('POST', '/api/v1/compute/run', { kernel: 'python', code: '1' });
  expect([status, body.err]).toEqual([503, 'no-capacity']);
  expect(body).toMatchObject({ message: expect.stringContaining('no child could be made') });
  server.refuse('', '');
});

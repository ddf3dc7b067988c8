import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Instance } from '../../../common/model/instance.ts';
import type { Job } from '../../../common/model/job.ts';
import type { ManagerMessage } from '../../../common/wire/link.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { COMMANDS_DEFAULTS, type Commands, createCommands } from '../../commands/commands.ts';
import { jobRoutes } from '../jobs/routes.ts';
import { instanceRoutes } from './routes.ts';

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

function instance(n: number, over: Partial<Instance> = {}): Instance {
  return {
    ...{ id: uuid(n), name: `web${n}`, state: 'running', vcpus: 1, memoryBytes: 1, autostart: false, persistent: true },
    ...{ host: 'h1', hostName: 'alpha', hostState: 'online', stale: false, changedMs: 1, load: null, busyJob: null },
    ...over,
  };
}

/** Launching and deleting are tried in manager/launch. */
const NO_LAUNCHES = { launch: () => Promise.reject() as never, remove: () => Promise.reject() as never };

describe('instances', () => {
  let edge: Edge;
  let headers: Record<string, string>;
  let all: Instance[];
  let sent: ManagerMessage[];
  let online: boolean;
  let commands: Commands;

  beforeEach(async () => {
    all = [instance(10), instance(2), instance(3, { name: '1', host: 'h2', hostName: 'beta', state: 'shutoff' })];
    [sent, online] = [[], true];
    edge = await startEdge();
    const inventory = {
      instances: () => all,
      instance: (id: string) => all.find((one) => one.id === id) ?? null,
      host: (id: string) => ({ id, name: id, clockOffsetMs: 0 }) as never,
      setBusy: () => undefined,
    };
    const link = { connected: () => online, send: (_host: string, message: ManagerMessage) => sent.push(message) > 0 };
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    commands = createCommands(COMMANDS_DEFAULTS, {
      ...{ jobs: edge.state.jobs, inventory, link, bus: edge.bus, log: quiet },
    });
    await edge.swapRoutes([
      ...instanceRoutes({ inventory, commands, launches: NO_LAUNCHES }),
      ...jobRoutes({ commands }),
    ]);
    headers = { ...edge.bearer('admin').headers, 'Content-Type': 'application/json' };
  });
  afterEach(async () => {
    expect(edge.faults).toEqual([]);
    await edge.stop();
  });

  const get = async <T>(path: string) => (await edge.ask(path, { headers })).json as { err: string | null; data: T };
  const post = (path: string, body: unknown) => edge.ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const names = async (query: string) =>
    (await get<Instance[]>(`/api/v1/instances${query}`)).data.map(({ name }) => name);

  it('are listed by name and found by words, state and host', async () => {
    expect(await names('')).toEqual(['1', 'web2', 'web10']);
    expect(await names('?q=WEB%20alpha')).toEqual(['web2', 'web10']);
    expect(await names('?q=web%20beta')).toEqual([]);
    expect(await names('?state=shutoff')).toEqual(['1']);
    expect(await names('?host=h1&q=10')).toEqual(['web10']);
    expect((await get('/api/v1/instances?state=asleep')).err).toBe('bad-request');
    expect((await get('/api/v1/instances?q=a&q=b')).err).toBe('bad-request');
  });

  it.each(['1', 'web10', '0', '-1', '--all', uuid(3).replaceAll('-', ''), `${uuid(3)}%20`, uuid(3).slice(0, -1)])(
    'are never addressed by anything but a UUID: %s',
    async (id) => {
      expect((await get(`/api/v1/instances/${id}`)).err).toBe('bad-request');
      const answer = await post(`/api/v1/instances/${id}/actions`, { action: 'force-off' });
      expect([answer.status, answer.json.err]).toEqual([400, 'bad-request']);
      expect((await post('/api/v1/instances/actions', { ids: [id], action: 'force-off' })).status).toBe(400);
      expect(sent).toEqual([]);
    },
  );

  it('answer a job at once, and its outcome under its id', async () => {
    const answer = await post(`/api/v1/instances/${uuid(3)}/actions`, { action: 'start', opId: 'my-own-id-1' });
    expect(answer.status).toBe(202);
    const { job } = answer.json.data as { job: Job };
    expect(job).toMatchObject({
      id: 'my-own-id-1',
      verb: 'start',
      state: 'planned',
      instance: uuid(3),
      actor: 'admin@test',
    });
    expect(sent).toMatchObject([{ t: 'command', command: { opId: 'my-own-id-1', instance: uuid(3), verb: 'start' } }]);
    const report = { opId: job.id, verb: 'start', instance: uuid(3), state: 'done', final: true, progress: 1 } as const;
    commands.onReport('h2', { ...report, startedMs: 1, endedMs: 2, error: null, result: { ok: true } });
    expect((await get<Job>(`/api/v1/jobs/${job.id}`)).data).toMatchObject({ state: 'done', result: { ok: true } });
    expect((await get<Job[]>('/api/v1/jobs?state=done&limit=5')).data).toHaveLength(1);
    expect((await get<Job[]>(`/api/v1/jobs?instance=${uuid(2)}`)).data).toEqual([]);
    expect((await get('/api/v1/jobs/no-such-job')).err).toBe('not-found');
    const wrong = await edge.ask(`/api/v1/jobs/${job.id}`, { method: 'DELETE', headers });
    expect(wrong.json.err).toBe('wrong-state');
  });

  it('have one effect and equal answers when a call is repeated, one by one and ten at once (T15)', async () => {
    const calls: [string, object][] = [
      [`/api/v1/instances/${uuid(2)}/actions`, { action: 'reboot', opId: 'replayed-1' }],
      ['/api/v1/instances/actions', { ids: [uuid(3), uuid(10)], action: 'shutdown', opId: 'replayed-2' }],
    ];
    for (const [path, body] of calls) {
      const before = sent.length;
      const twice = [await post(path, body), await post(path, body)];
      const tenTimes = await Promise.all(Array.from({ length: 10 }, () => post(path, body)));
      const answers = [...twice, ...tenTimes].map(({ status, text }) => `${status} ${text}`);
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).toMatch(/^202 /);
      expect(sent.length - before).toBe('ids' in body ? 2 : 1);
    }
    const other = await post(calls[0]![0], { action: 'reset', opId: 'replayed-1' });
    expect([other.status, other.json.err]).toEqual([409, 'op-id-reused']);
  });

  it('take one of two clicks and tell the other who holds the instance (T13)', async () => {
    const path = `/api/v1/instances/${uuid(3)}/actions`;
    const answers = await Promise.all([post(path, { action: 'start' }), post(path, { action: 'start' })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    const holder = sent.flatMap((message) => (message.t === 'command' ? [message.command.opId] : []));
    expect(holder).toHaveLength(1);
    expect(answers.find(({ status }) => status === 409)!.json).toMatchObject({
      err: 'busy',
      message: expect.stringContaining(holder[0]!),
    });
  });

  it('act together, each with a job of its own, and say what was refused', async () => {
    await post(`/api/v1/instances/${uuid(2)}/actions`, { action: 'reboot' });
    const ids = [uuid(2), uuid(3), uuid(3), uuid(99)];
    const answer = await post('/api/v1/instances/actions', { ids, action: 'shutdown' });
    expect(answer.status).toBe(202);
    const data = answer.json.data as { jobs: Job[]; refused: { id: string; err: string }[] };
    expect(data.jobs.map((job) => job.instance)).toEqual([uuid(3)]);
    expect(data.refused.map(({ id, err }) => [id, err])).toEqual([
      [uuid(2), 'busy'],
      [uuid(99), 'not-found'],
    ]);
    online = false;
    const none = await post('/api/v1/instances/actions', { ids: [uuid(10)], action: 'shutdown' });
    expect([none.status, none.json.err]).toEqual([503, 'host-unreachable']);
  });

  it('refuse what is no action, and fields nobody knows', async () => {
    const path = `/api/v1/instances/${uuid(3)}/actions`;
    for (const body of [
      {},
      { action: 'destroy; rm' },
      { action: 'start', opId: 'x' },
      { action: 'start', instance: uuid(2) },
    ])
      expect((await post(path, body)).status).toBe(400);
    expect(sent).toEqual([]);
  });
});

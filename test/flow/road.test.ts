import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { Line } from '../../common/model/line.ts';
import { tail, untilBody } from '../support/live.ts';
import { ROOT } from '../support/program.ts';
import { type Stack, startStack } from '../support/stack.ts';

// The whole road once, with real processes: agent → manager → store → socket, and a command back.

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ agent: true });
});
afterAll(() => stack?.stop());

const run = promisify(execFile);
const cli = async (...args: string[]) => {
  const where = ['--url', stack.url, '--data-dir', stack.dataDir];
  return (await run(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), ...where, ...args])).stdout;
};

const finished = (job: Job) => !['planned', 'running'].includes(job.state);

describe('the road', () => {
  test('the local agent enrols itself and its host and instance appear', async () => {
    const hosts = await untilBody<Host[]>(
      stack.socket(),
      '/api/v1/hosts',
      (list) => list[0]?.state === 'online' && list[0].instanceCount > 0,
    );
    expect(hosts).toHaveLength(1);
    expect(hosts[0]!.hypervisor).toBe('test');
    const instances = await stack.get<Instance[]>('/api/v1/instances');
    expect(instances.map((instance) => [instance.name, instance.state, instance.host])).toEqual([
      ['test', 'running', hosts[0]!.id],
    ]);
  });

  test('a line of the agent is streamed, stored, and found by its id', async () => {
    const live = tail(stack.socket(), { backlog: 500 });
    await live.started;
    const [line] = (await live.until((lines) => lines.some((candidate) => candidate.source === 'agent'))).filter(
      (candidate) => candidate.source === 'agent',
    );
    const [agent, epoch, seq] = line!.id.split('.');
    const [host] = await stack.get<Host[]>('/api/v1/hosts');
    expect([agent, line!.host]).toEqual([host!.id, host!.id]);
    expect(epoch).toMatch(/^[0-9a-f]{16}$/);
    expect(Number(seq)).toBeGreaterThanOrEqual(0);
    expect((await stack.get<Line>(`/api/v1/logs/${line!.id}`)).message).toBe(line!.message);
  });

  test('an action is a job whose lines come from the manager and from the host', async () => {
    const [instance] = await stack.get<Instance[]>('/api/v1/instances');
    const socket = stack.socket();
    const opId = 'road-pause-0001';
    const live = tail(socket, { job: opId, backlog: 100 });
    await live.started;
    const answer = await stack.api<{ job: string }>('POST', `/api/v1/instances/${instance!.id}/actions`, {
      action: 'pause',
      opId,
    });
    expect(answer.status).toBe(202);
    const job = await untilBody<Job>(socket, `/api/v1/jobs/${opId}`, finished);
    expect([job.state, job.error]).toEqual(['done', null]);
    await untilBody<Instance[]>(socket, '/api/v1/instances', ([first]) => first?.state === 'paused');
    await live.until((lines) => ['agent', 'manager'].every((source) => lines.some((line) => line.source === source)));

    const again = await stack.api<{ job: string }>('POST', `/api/v1/instances/${instance!.id}/actions`, {
      action: 'pause',
      opId,
    });
    expect(again.status).toBe(202);
    const other = await stack.api('POST', `/api/v1/instances/${instance!.id}/actions`, { action: 'resume', opId });
    expect([other.status, other.body.err]).toEqual([409, 'op-id-reused']);
  });

  test('the command line lists, acts by name, and shows the lines', async () => {
    expect(await cli('ls', 'hosts')).toMatch(/online/);
    expect(JSON.parse(await cli('ls', '--json'))[0].name).toBe('test');
    expect(await cli('resume', 'test')).toMatch(/resume test: done/);
    const lines = await cli('logs', '-n', '200', '--q', 'source:audit OR_NOT_A_WORD', '--json');
    expect(lines).toBe('');
    expect(
      (await cli('logs', '-n', '50', '--json'))
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text) as Line).length,
    ).toBeGreaterThan(5);
    await expect(cli('start', 'no-such-instance')).rejects.toThrow(/There is no instance "no-such-instance"/);
    await expect(cli('strat', 'test')).rejects.toThrow(/did you mean "start"/);
  });

  test('the manager is killed: the agent goes on, the manager finds its data again, nothing is stored twice', async () => {
    const before = await stack.get<Host[]>('/api/v1/hosts');
    await stack.manager.end('SIGKILL');
    await stack.startManager();
    const socket = stack.socket();
    await untilBody<Host[]>(socket, '/api/v1/hosts', ([host]) => host?.id === before[0]!.id && host.state === 'online');
    const page = await stack.get<{ lines: Line[] }>('/api/v1/logs?limit=5000');
    const ids = page.lines.map((line) => line.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(holes(page.lines)).toEqual([]);
  });

  test('the agent is killed: its host goes stale, comes back, and no number is missing', async () => {
    const socket = stack.socket();
    await stack.agent!.end('SIGKILL');
    await untilBody<Host[]>(socket, '/api/v1/hosts', ([host]) => host?.state === 'stale');
    const [stale] = await stack.get<Instance[]>('/api/v1/instances');
    expect([stale!.name, stale!.stale]).toEqual(['test', true]);
    const refused = await stack.api('POST', `/api/v1/instances/${stale!.id}/actions`, { action: 'pause' });
    expect([refused.status, refused.body.err]).toEqual([503, 'host-unreachable']);
    const port = (await stack.get<Host[]>('/api/v1/hosts'))[0]!.port;
    await stack.startAgent({ WEBVIRT_AGENT_PORT: String(port) });
    await untilBody<Host[]>(socket, '/api/v1/hosts', ([host]) => host?.state === 'online');
    const page = await stack.get<{ lines: Line[] }>('/api/v1/logs?limit=5000');
    expect(holes(page.lines)).toEqual([]);
  });

  test('the short calls of the first WebVirt answer', async () => {
    expect((await stack.api('GET', '/list/daemons')).body.err).toBeNull();
    expect((await stack.api('GET', '/list/vms')).body.err).toBeNull();
    expect((await stack.api('GET', '/list/vms/127.0.0.1')).body.err).toBeNull();
    expect((await stack.api('GET', '/list/vms/127.0.0.9')).status).toBe(404);
  });
});

/** Numbers that are missing within any (agent, epoch), gaps being lines with `fields.gap`. */
function holes(lines: Line[]): string[] {
  const byEpoch = new Map<string, Set<number>>();
  for (const line of lines) {
    const [agent, epoch, seq] = line.id.split('.');
    const key = `${agent}.${epoch}`;
    const numbers = byEpoch.get(key) ?? new Set();
    byEpoch.set(key, numbers);
    const gap = line.fields?.['gap'] as { from: number; to: number } | undefined;
    for (let number = gap?.from ?? Number(seq); number <= (gap?.to ?? Number(seq)); number += 1) numbers.add(number);
  }
  return [...byEpoch].flatMap(([key, numbers]) => {
    const last = Math.max(...numbers);
    return Array.from({ length: last + 1 }, (_, i) => i)
      .filter((i) => !numbers.has(i))
      .map((i) => `${key}.${i}`);
  });
}

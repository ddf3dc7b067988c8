import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NumberedEvent, Session } from '../../common/model/compute.ts';
import type { HostedServer, RunAnswer } from '../../manager/compute/ports.ts';
import {
  computeAbsent,
  connectCompute,
  type RunningComputeServer,
  startComputeServer,
} from '../support/compute-server.ts';
import { hasDied, hasEnded, numbers, watch } from '../support/compute-world.ts';
import { tail, untilBody } from '../support/live.ts';
import { type Stack, startStack } from '../support/stack.ts';

// The real programs and the real compute server, each killed with SIGKILL in the middle of a cell.

const absent = computeAbsent();
const CONFIG = { kernels: ['python'], pool: { python: 2 }, cgroupName: `webvirt-flow-${process.pid}` };
/** Prints, waits long enough for everything that is killed meanwhile, and prints again. */
const SLOW = 'print("before", flush=True)\nimport time\ntime.sleep(3)\nprint("after", flush=True)';

let server: RunningComputeServer;
let stack: Stack;

async function startServer(): Promise<void> {
  server = await startComputeServer({ config: CONFIG });
}

const untilReady = () =>
  untilBody<HostedServer[]>(stack.socket(), '/api/v1/compute/servers', (list) => {
    const refused = list.find(({ state }) => state === 'refused');
    if (refused !== undefined) throw new Error(JSON.stringify(refused));
    return list.some(({ state, stale }) => state === 'ready' && !stale);
  });
async function post<T>(path: string, body: object): Promise<T> {
  const { body: answer, status } = await stack.api<T>('POST', `/api/v1/compute/${path}`, body);
  if (answer.err !== null) throw new Error(`${path}: ${status} ${answer.err} ${answer.message}`);
  return answer.data;
}
const hasText = (text: string) => (events: NumberedEvent[]) =>
  events.some(({ event }) => event.type === 'stdout' && event.text.includes(text));

async function midCell(): Promise<{ id: string; seen: ReturnType<typeof watch> }> {
  const { id } = await post<Session>('sessions', { kernel: 'python' });
  const seen = watch(stack.socket(), id);
  await post(`sessions/${id}/cells`, { code: SLOW });
  await seen.until(hasText('before'));
  return { id, seen };
}
const causeOf = (events: NumberedEvent[]) =>
  events.flatMap(({ event }) => (event.type === 'died' ? [event.death.cause] : []));

describe.skipIf(absent !== null)('computations', () => {
  beforeAll(async () => {
    await startServer();
    stack = await startStack({ agent: { WEBVIRT_AGENT_COMPUTE_SOCKET: server.socketPath } });
    await untilReady();
  });
  afterAll(async () => {
    await stack?.stop();
    // The last one was killed: only the next one removes its control groups.
    await startServer();
    const client = await connectCompute(server.socketPath);
    await client.ready();
    await client.close();
    await server.stop();
  });

  it('runs code on the host and answers with what it gave, the same for the same opId', async () => {
    const opId = randomBytes(9).toString('base64url');
    const body = { kernel: 'python', code: 'print("hi")\n2 + 3', opId };
    const answer = await post<RunAnswer>('run', body);
    expect(answer).toMatchObject({ session: opId, cell: 1, status: 'ok' });
    expect(answer.events.map(({ event }) => event)).toEqual([
      { type: 'input', cell: 1, code: body.code, actor: 'local' },
      { type: 'started', cell: 1 },
      { type: 'stdout', cell: 1, text: 'hi\n' },
      { type: 'result', cell: 1, data: { 'text/plain': '5' } },
      expect.objectContaining({ type: 'ended', cell: 1, status: 'ok' }),
    ]);
    expect((await post<RunAnswer>('run', body)).events.slice(0, 5)).toEqual(answer.events);
    const lines = tail(stack.socket(), { session: opId, backlog: 100 });
    await lines.until((all) => all.some(({ message }) => message === 'Computation session ended'));
    expect(lines.lines.every(({ session }) => session === opId)).toBe(true);
  });

  it('loses nothing and repeats nothing when the manager is killed in the middle of a cell', async () => {
    const { id, seen } = await midCell();
    await stack.manager.end('SIGKILL');
    await stack.startManager();
    const again = watch(stack.socket(), id);
    await again.until(hasEnded(1));
    expect(numbers(again.events)).toEqual(again.events.map((_, i) => i));
    expect(again.events.slice(0, seen.events.length)).toEqual(seen.events);
    const text = again.events.map(({ event }) => (event.type === 'stdout' ? event.text : '')).join('');
    expect(text).toBe('before\nafter\n');
    await untilBody<Session>(stack.socket(), `/api/v1/compute/sessions/${id}`, ({ state }) => state === 'idle');
    await post(`sessions/${id}/cells`, { code: 'time.time() > 0' });
    await again.until(hasEnded(2));
    expect(again.events.at(-2)?.event).toMatchObject({ type: 'result', data: { 'text/plain': 'True' } });
  });

  it('tells that a session died with its agent, and takes new ones when that is back', async () => {
    const { id, seen } = await midCell();
    const { port } = stack.agent!.ready;
    await stack.agent!.end('SIGKILL');
    await untilBody<Session>(stack.socket(), `/api/v1/compute/sessions/${id}`, ({ state }) => state === 'lost');
    await stack.startAgent({ WEBVIRT_AGENT_PORT: String(port) });
    await seen.until(hasDied);
    expect(causeOf(seen.events)).toEqual(['agent-gone']);
    await untilReady();
    expect((await post<RunAnswer>('run', { kernel: 'python', code: '1' })).status).toBe('ok');
    expect(seen.events.filter(({ event }) => event.type === 'started')).toHaveLength(1);
  });

  it('tells that a session died with the compute server', async () => {
    const { id, seen } = await midCell();
    await server.kill();
    await seen.until(hasDied);
    expect(causeOf(seen.events)).toEqual(['server-gone']);
    const late = await stack.api('POST', `/api/v1/compute/sessions/${id}/cells`, { code: '1' });
    expect(late.body.err).toBe('session-ended');
    await untilBody<HostedServer[]>(stack.socket(), '/api/v1/compute/servers', (list) =>
      list.some(({ state }) => state === 'absent'),
    );
    const refused = await stack.api('POST', '/api/v1/compute/sessions', { kernel: 'python' });
    expect([refused.status, refused.body.err]).toEqual([503, 'no-kernel']);
  });
});

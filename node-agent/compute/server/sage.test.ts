import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { OutputEvent } from '../../../common/model/compute.ts';
import {
  type ComputeClient,
  computeAbsent,
  connectCompute,
  type RunningComputeServer,
  startComputeServer,
} from '../../../test/support/compute-server.ts';

// The SageMath kernel: its language, its formulas, its plots, its interrupts.

const absent = computeAbsent('sage');

// A busy machine takes its time; every wait here ends with an event.
vi.setConfig({ testTimeout: 60_000 });

describe.skipIf(absent)(`a SageMath session${absent ? ` (skipped: ${absent})` : ''}`, () => {
  let server: RunningComputeServer;
  let client: ComputeClient;
  let cell = 0;
  const run = (code: string) => client.run('sage-session', ++cell, code);
  const data = (events: OutputEvent[]) => {
    const problem = events.find((event) => event.type === 'error');
    if (problem?.type === 'error') throw new Error(problem.traceback);
    const shown = events.find((event) => event.type === 'result' || event.type === 'display');
    return shown && 'data' in shown ? shown.data : {};
  };

  beforeAll(async () => {
    server = await startComputeServer({ config: { kernels: ['sage'] } });
    client = await connectCompute(server.socketPath);
    const state = await client.ready();
    expect(state.kernels).toEqual([{ name: 'sage', title: expect.stringMatching(/^SageMath \d/), pooled: 2 }]);
    await client.open('sage-session', 'sage');
  });
  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  test('Sage’s language, with LaTeX beside the text', async () => {
    expect(data(await run('factor(2^64+1)'))).toEqual({
      'text/plain': '274177 * 67280421310721',
      'text/latex': '$\\displaystyle 274177 \\cdot 67280421310721$',
    });
    expect(data(await run('R.<t> = QQ[]; (t^2-1).factor()'))['text/plain']).toBe('(t - 1) * (t + 1)');
    expect(data(await run('integrate(x*sin(x), x)'))['text/plain']).toBe('-x*cos(x) + sin(x)');
    expect(data(await run('[1, "text"]'))).toEqual({ 'text/plain': "[1, 'text']" });
    expect(data(await run('gap("SymmetricGroup(4)").Size()'))['text/plain']).toBe('24');
    expect(data(await run('show(sqrt(2)/2)'))['text/latex']).toContain('\\sqrt{2}');
  });

  test('plots are PNG or SVG, scenes are pictures', async () => {
    const png = (events: OutputEvent[]) =>
      Buffer.from(data(events)['image/png'] ?? '', 'base64')
        .subarray(1, 4)
        .toString();
    expect(png(await run('plot(sin(x), (x, 0, 10))'))).toBe('PNG');
    expect(png(await run('import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()'))).toBe('PNG');
    expect(png(await run('sphere()'))).toBe('PNG');
    await run('%display graphics vector');
    expect(data(await run('circle((0, 0), 1)'))['image/svg+xml']).toContain('<svg');
  });

  test('an interrupt stops Sage’s C code, and the session goes on', async () => {
    client.send({
      op: 'execute',
      session: 'sage-session',
      cell: ++cell,
      code: 'print("on"); factor(next_prime(10^60)*next_prime(10^61+7))',
    });
    const mine = cell;
    await client.next((m) => m.event?.type === 'stdout' && m.event.cell === mine);
    client.send({ op: 'interrupt', session: 'sage-session' });
    const ended = await client.next((m) => m.event?.type === 'ended' && m.event.cell === mine);
    expect(ended.event).toMatchObject({ status: 'interrupted' });
    expect(data(await run('1 + 1'))['text/plain']).toBe('2');
  });

  test('completion knows Sage’s objects', async () => {
    await run('G = graphs.PetersenGraph()');
    client.send({ op: 'complete', session: 'sage-session', ask: 1, code: 'G.chromatic_n', cursor: 13 });
    expect((await client.next((m) => m.ask === 1)).matches!.join()).toContain('chromatic_number');
  });

  test('each child has randomness and files of its own', async () => {
    await client.open('sage-other', 'sage');
    const code =
      'import os; os.makedirs(os.environ["DOT_SAGE"], exist_ok=True); (ZZ.random_element(10^40), randint(0, 10^30), os.listdir(os.environ["DOT_SAGE"]))';
    const [a, b] = [data(await run(code)), data(await client.run('sage-other', 1, code))];
    expect(a['text/plain']).not.toBe(b['text/plain']);
    expect(b['text/plain']).toContain(', [])');
  });
});

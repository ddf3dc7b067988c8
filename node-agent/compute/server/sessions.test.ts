import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { outputEventSchema } from '../../../common/model/compute.ts';
import {
  type ComputeClient,
  computeAbsent,
  connectCompute,
  type RunningComputeServer,
  startComputeServer,
  textOf,
} from '../../../test/support/compute-server.ts';

// What a user of a plain Python session sees: results, output, errors, plots, completion.

const absent = computeAbsent();

// A busy machine takes its time; every wait here ends with an event.
vi.setConfig({ testTimeout: 60_000 });

describe.skipIf(absent)(`a Python session${absent ? ` (skipped: ${absent})` : ''}`, () => {
  let server: RunningComputeServer;
  let client: ComputeClient;
  let count = 0;
  const fresh = async () => {
    const session = `session-${++count}`;
    await client.open(session);
    return session;
  };

  beforeAll(async () => {
    const limits = { outputBytes: 200_000, memoryBytes: 256 * 1024 * 1024, sessions: 64 };
    server = await startComputeServer({ config: { kernels: ['python'], limits } });
    client = await connectCompute(server.socketPath);
    expect((await client.ready()).reason).toBe(null);
  });
  afterAll(async () => {
    for (const message of client.events) if (message.event) outputEventSchema.parse(message.event);
    await client.close();
    expect(await server.stop()).toBe(0);
    expect(
      server
        .said()
        .split('\n')
        .filter((line) => /"level": "error"|Traceback|exception/i.test(line)),
    ).toEqual([]);
  });

  test('a value, what was printed, and the state between cells', async () => {
    const s = await fresh();
    const first = await client.run(s, 1, 'x = 41\nprint("hello")\nx + 1');
    expect(first.map((event) => event.type)).toEqual(['started', 'stdout', 'result', 'ended']);
    expect(first[1]).toMatchObject({ text: 'hello\n' });
    expect(first[2]).toEqual({ type: 'result', cell: 1, data: { 'text/plain': '42' } });
    expect(first[3]).toMatchObject({ status: 'ok' });
    expect((await client.run(s, 2, 'x')).find((event) => event.type === 'result')).toMatchObject({
      data: { 'text/plain': '41' },
    });
    // The first cell of a user is number one for IPython too, and finds none of our names.
    const names = await client.run(s, 3, '[n for n in dir() if not n.startswith("_")], len(In), sorted(Out)');
    expect(JSON.stringify(names)).toContain("(['In', 'Out', 'exit', 'get_ipython', 'quit', 'x'], 4, [1, 2])");
  });

  test('an error has a name, a message and a traceback without colours; the session goes on', async () => {
    const s = await fresh();
    const events = await client.run(s, 1, 'def f():\n    return 1/0\nf()');
    const error = events.find((event) => event.type === 'error')!;
    expect(error).toMatchObject({ name: 'ZeroDivisionError', message: 'division by zero' });
    expect(error.type === 'error' && error.traceback).toMatch(/Cell In.*\n[\s\S]*return 1\/0/);
    expect(JSON.stringify(error)).not.toContain('\\u001b');
    expect(events.at(-1)).toMatchObject({ status: 'error' });
    const syntax = await client.run(s, 2, 'if');
    expect(syntax.find((event) => event.type === 'error')).toMatchObject({ name: 'SyntaxError' });
    const bad = 'class E(Exception):\n    def __str__(self): raise E()\nraise E()';
    expect((await client.run(s, 3, bad)).at(-1)).toMatchObject({ status: 'error' });
    expect((await client.run(s, 4, '1')).at(-1)).toMatchObject({ status: 'ok' });
  });

  test('output of C code, of subprocesses and of Python comes in the order in which it was written', async () => {
    const s = await fresh();
    const code = `
import os, sys, ctypes
print('a', flush=False)
os.system('echo b')
os.write(1, b'c\\n')
libc = ctypes.CDLL(None); libc.puts(b'd'); libc.fflush(None)
sys.stderr.write('warned\\n')
print('e')
!echo f
'value'`;
    const events = await client.run(s, 1, code);
    expect(textOf(events)).toBe('a\nb\nc\nd\ne\nf\n');
    expect(textOf(events, 'stderr')).toBe('warned\n');
    const order = events.map((event) => event.type);
    expect(order.indexOf('stderr')).toBeLessThan(order.lastIndexOf('stdout'));
    expect(order.slice(-2)).toEqual(['result', 'ended']);
  });

  test('output is there while the cell still runs', async () => {
    const s = await fresh();
    client.send({ op: 'execute', session: s, cell: 1, code: 'print("early")\nimport time\ntime.sleep(60)' });
    await client.next((m) => m.session === s && m.event?.type === 'stdout');
    client.send({ op: 'interrupt', session: s });
    const ended = await client.next((m) => m.session === s && m.event?.type === 'ended');
    expect(ended.event).toMatchObject({ status: 'interrupted' });
  });

  test('bytes that are no UTF-8, and characters cut in two, never throw', async () => {
    const s = await fresh();
    const code = `
import os, time
os.write(1, b'x\\xe2\\x82'); time.sleep(0.05); os.write(1, b'\\xacy')
os.write(1, b'\\xff\\xfe\\n')
os.write(1, b'\\xf0\\x9f')
print('\\ud800', end='')
'\\ud800'`;
    const events = await client.run(s, 1, code);
    expect(textOf(events)).toMatch(/^x€y\uFFFD\uFFFD\n\uFFFD+\\ud800/);
    expect(events.at(-1)).toMatchObject({ status: 'ok' });
  });

  test('a flood is cut and counted, the result still comes, and the session goes on', async () => {
    const s = await fresh();
    const events = await client.run(s, 1, 'for i in range(30): print("x" * 99_999)\n"done"');
    const kept = textOf(events).length;
    const skipped = events.reduce((sum, event) => sum + (event.type === 'skipped' ? event.bytes : 0), 0);
    expect(kept).toBe(200_000);
    expect(kept + skipped).toBe(3_000_000);
    expect(events.filter((event) => event.type === 'skipped').length).toBeLessThanOrEqual(2);
    expect(events.find((event) => event.type === 'result')).toMatchObject({ data: { 'text/plain': "'done'" } });
    const huge = await client.run(s, 2, '"y" * 50_000_000');
    expect(huge.some((event) => event.type === 'skipped')).toBe(true);
    expect(huge.at(-1)).toMatchObject({ status: 'ok' });
    expect(textOf(await client.run(s, 3, 'print(1)'))).toBe('1\n');
  });

  test('plots are PNG, formulas and HTML keep their representations', async () => {
    const s = await fresh();
    const plot = await client.run(s, 1, 'import matplotlib.pyplot as plt\nplt.plot([1, 2, 3]);');
    const display = plot.find((event) => event.type === 'display');
    const png = Buffer.from((display?.type === 'display' && display.data['image/png']) || '', 'base64');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    const rich = `
from IPython.display import display, SVG, Latex, HTML
display(SVG('<svg xmlns="http://www.w3.org/2000/svg"/>')); display(HTML('<b>x</b>'))
Latex('$x^2$')`;
    const kinds = (await client.run(s, 2, rich)).flatMap((event) => ('data' in event ? Object.keys(event.data) : []));
    expect(kinds).toEqual(expect.arrayContaining(['image/svg+xml', 'text/html', 'text/latex', 'text/plain']));
  });

  test('completion, counted as browsers count', async () => {
    const s = await fresh();
    await client.run(s, 1, 'value_of_mine = "text"');
    client.send({ op: 'complete', session: s, ask: 'a1', code: '"😀"; value_of', cursor: 14 });
    const answer = await client.next((m) => m.t === 'completed' && m.ask === 'a1');
    expect(answer).toMatchObject({ matches: ['value_of_mine'], start: 6, end: 14 });
    client.send({ op: 'execute', session: s, cell: 2, code: 'import time; time.sleep(60)' });
    client.send({ op: 'complete', session: s, ask: 'a2', code: 'val', cursor: 3 });
    expect(await client.next((m) => m.ask === 'a2')).toMatchObject({ matches: [] });
    client.send({ op: 'interrupt', session: s });
    await client.next((m) => m.session === s && m.event?.type === 'ended' && m.event.cell === 2);
  });

  test('every child has randomness of its own, and nobody else’s state', async () => {
    const code = `
import random, numpy, tempfile, os
print(random.random(), numpy.random.random(), next(tempfile._get_candidate_names()))
poison = getattr(random, 'poison', None); random.poison = 1
open('left', 'w').write('x'); open('/tmp/left', 'w').write('x')
(poison, sorted(os.listdir('.')), os.listdir('/tmp'))`;
    const [a, b] = [await client.run(await fresh(), 1, code), await client.run(await fresh(), 1, code)];
    for (const events of [a, b])
      expect(events.find((event) => event.type === 'result')).toMatchObject({
        data: { 'text/plain': "(None, ['left'], ['left'])" },
      });
    const words = [a, b].map((events) => textOf(events).trim().split(' '));
    for (const place of [0, 1, 2]) expect(words[0]![place]).not.toBe(words[1]![place]);
  });

  test('input() says that there is no keyboard; help prints', async () => {
    const s = await fresh();
    const events = await client.run(s, 1, 'input("name? ")');
    expect(events.find((event) => event.type === 'error')).toMatchObject({ name: 'EOFError' });
    expect(textOf(await client.run(s, 2, 'len?'))).toContain('Return the number of items');
    const magic = await client.run(s, 3, '%nosuchmagic');
    expect(magic.at(-1)).toMatchObject({ cell: 3 });
  });
});

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { outputEventSchema } from '../../../common/model/compute.ts';
import {
  type ComputeClient,
  computeAbsent,
  connectCompute,
  type RunningComputeServer,
  startComputeServer,
} from '../../../test/support/compute-server.ts';

// How cells and sessions end: interrupts, termination, and each death with its proof.

const absent = computeAbsent();

// A busy machine takes its time; every wait here ends with an event.
vi.setConfig({ testTimeout: 60_000 });

describe.skipIf(absent)(`the end of a session${absent ? ` (skipped: ${absent})` : ''}`, () => {
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

  test('an interrupt hits the running cell, drops those that wait, and never a later one', async () => {
    const s = await fresh();
    client.send({
      op: 'execute',
      session: s,
      cell: 1,
      code: 'print("on")\nimport subprocess\nsubprocess.run(["sleep", "60"])\nwhile True: pass',
    });
    client.send({ op: 'execute', session: s, cell: 2, code: 'print("never")' });
    await client.next((m) => m.session === s && m.event?.type === 'stdout');
    client.send({ op: 'interrupt', session: s });
    client.send({ op: 'interrupt', session: s });
    client.send({ op: 'interrupt', session: s });
    const later = await client.run(s, 3, 'sum(range(100_000))');
    const ends = client.events.flatMap((m) => (m.session === s && m.event?.type === 'ended' ? [m.event] : []));
    expect(ends.map((end) => [end.cell, end.status])).toEqual([
      [2, 'interrupted'],
      [1, 'interrupted'],
      [3, 'ok'],
    ]);
    expect(later.map((event) => event.type)).toEqual(['started', 'result', 'ended']);
    expect(JSON.stringify(client.events.filter((m) => m.session === s))).not.toContain('never');
    client.send({ op: 'interrupt', session: s });
    expect((await client.run(s, 4, '4')).at(-1)).toMatchObject({ status: 'ok' });
    // One that comes too late, when its cell has (nearly) ended, is not for the next cell.
    const deaf =
      'import signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\nprint("deaf")\nwhile not signal.sigpending(): pass';
    client.send({ op: 'execute', session: s, cell: 5, code: deaf });
    await client.next((m) => m.session === s && m.event?.type === 'stdout' && m.event.cell === 5);
    client.send({ op: 'interrupt', session: s });
    expect((await client.run(s, 6, 'sum(range(100_000))')).at(-1)).toMatchObject({ status: 'ok' });
  });

  test('a cell that ignores interrupts can be terminated, with everything it started', async () => {
    const s = await fresh();
    const code = `
import signal, os, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True: time.sleep(1)
print("armed")
while True: pass`;
    client.send({ op: 'execute', session: s, cell: 1, code });
    await client.next((m) => m.session === s && m.event?.type === 'stdout');
    client.send({ op: 'interrupt', session: s });
    client.send({ op: 'execute', session: s, cell: 2, code: '2' });
    client.send({ op: 'terminate', session: s, reason: 'asked by the test' });
    expect(await client.death(s)).toEqual({ cause: 'terminated', text: 'Ended on request: asked by the test.' });
    const ends = client.events.flatMap((m) => (m.session === s && m.event?.type === 'ended' ? [m.event] : []));
    expect(ends.map((end) => [end.cell, end.status])).toEqual([
      [1, 'died'],
      [2, 'died'],
    ]);
    const mine = client.events.filter((m) => m.session === s && m.t === 'event');
    expect(mine.at(-1)!.event).toMatchObject({ type: 'died', cell: 1 });
  });

  test('each way to die is told with its proof', async () => {
    const die = async (code: string) => {
      const s = await fresh();
      client.send({ op: 'execute', session: s, cell: 1, code });
      return client.death(s);
    };
    expect(await die('exit')).toEqual({ cause: 'exit', text: 'The process ended by itself with code 0.' });
    expect(await die('import os; os._exit(3)')).toEqual({
      cause: 'exit',
      text: 'The process ended by itself with code 3.',
    });
    expect((await die('import os; os.execv("/bin/false", ["false"])')).text).toBe(
      'The process ended by itself with code 1.',
    );
    expect(await die('import ctypes; ctypes.string_at(0)')).toEqual({
      cause: 'crash',
      text: 'The process was killed by signal 11 (SIGSEGV).',
    });
    expect((await die('import os; os.kill(os.getpid(), 9)')).text).toContain('(SIGKILL)');
    expect(await die('x = b"x" * (1 << 30)')).toEqual({
      cause: 'out-of-memory',
      text: 'Out of memory: at the limit of 256 MiB the kernel killed a process of the session.',
    });
    const s = await fresh();
    client.send({ op: 'terminate', session: s, reason: 'idle' });
    expect((await client.death(s)).cause).toBe('idle');
  });
});

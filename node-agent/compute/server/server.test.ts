import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { computeServerSchema } from '../../../common/model/compute.ts';
import {
  type ComputeClient,
  computeAbsent,
  connectCompute,
  type RunningComputeServer,
  startComputeServer,
  textOf,
} from '../../../test/support/compute-server.ts';

// The server itself: states and refusals, hostile sessions and clients, deadlines.

const absent = computeAbsent();
const skipped = absent ? ` (skipped: ${absent})` : '';
const processes = () => execFileSync('ps', ['-eo', 'pid,ppid,uid,args'], { encoding: 'utf8' });
const FAST = { timeout: 20_000, interval: 5 };

// A busy machine takes its time; every wait here ends with an event.
vi.setConfig({ testTimeout: 60_000 });

describe.skipIf(absent)(`the compute server${skipped}`, () => {
  let server: RunningComputeServer;
  let client: ComputeClient;

  beforeAll(async () => {
    const limits = { cellMs: 1500, sessions: 6, outputBytes: 1_000_000 };
    server = await startComputeServer({ config: { kernels: ['python'], pool: { python: 2 }, limits } });
    client = await connectCompute(server.socketPath);
  });
  afterAll(async () => {
    await client.close();
    await server.stop();
  });
  const end = async (session: string) => {
    client.send({ op: 'terminate', session, reason: '' });
    return client.death(session);
  };

  test('says what it has, and proves each wall', async () => {
    const state = await client.ready();
    computeServerSchema.parse(state);
    expect(state).toMatchObject({ state: 'ready', reason: null, sessions: 0, limits: { cellMs: 1500, cpus: 1 } });
    expect(state.kernels).toEqual([{ name: 'python', title: expect.stringMatching(/^Python 3\./), pooled: 2 }]);
    const names = [
      'uid',
      'pid-namespace',
      'network',
      'files',
      'read-only',
      'disk',
      'syscalls',
      'memory',
      'processes',
      'cpu',
      'killing',
    ];
    expect(state.checks.map((check) => [check.name, check.holds])).toEqual(names.map((name) => [name, true]));
    client.send({ op: 'ping', id: 7 });
    expect(await client.next((m) => m.t === 'pong')).toEqual({ t: 'pong', id: 7 });
  });

  test('opens more than the pool holds at once, up to its limit, and refuses in words', async () => {
    const names = [1, 2, 3, 4, 5, 6].map((n) => `capacity-${n}`);
    await Promise.all(names.map((name) => client.open(name)));
    await expect(client.open('capacity-7')).rejects.toThrow('no-capacity: This host runs 6 sessions');
    await expect(client.open('short')).rejects.toThrow('no-capacity: The id of a session');
    await client.run('capacity-1', 1, 'x = bytearray(30 << 20)');
    const use = await client.next((m) => m.t === 'use' && m.list!.some((one) => one.memoryBytes > 30 << 20));
    expect(use.list!.find((one) => one.session === 'capacity-1')!.cpuMs).toBeGreaterThan(0);
    await Promise.all(names.map(end));
    await expect(client.open('other-kernel', 'cobol')).rejects.toThrow('no-kernel: This host has no kernel cobol.');
    await client.next((m) => m.t === 'server' && m.server!.sessions === 0 && m.server!.kernels[0]?.pooled === 2);
  });

  test('a cell that runs too long ends its session', async () => {
    await client.open('deadline-1');
    client.send({ op: 'execute', session: 'deadline-1', cell: 1, code: 'while True: pass' });
    expect(await client.death('deadline-1')).toEqual({
      cause: 'cell-time',
      text: 'The cell ran longer than 1.5 seconds, the limit for one cell.',
    });
  });

  test('a session that forges frames fools only itself', async () => {
    await client.open('bystander');
    const forged = async (session: string, code: string) => {
      await client.open(session);
      client.send({
        op: 'execute',
        session,
        cell: 1,
        code: `import os, json, struct\ndef f(o):\n    b = json.dumps(o).encode(); os.write(3, struct.pack(">I", len(b)) + b)\n${code}`,
      });
    };
    await forged('forger-1', 'os.write(3, b"\\xff" * 64)');
    expect((await client.death('forger-1')).cause).toBe('output-limit');
    await forged('forger-2', 'os.write(3, struct.pack(">I", 100) + b"[" * 100)');
    expect((await client.death('forger-2')).text).toContain('not JSON');
    await forged('forger-3', 'os.write(3, struct.pack(">I", 200_000) + b"[" * 200_000)');
    await client.death('forger-3');
    const odd = `
for o in [{}, {"t": 1}, {"t": "ended", "cell": 99}, {"t": "ended"}, {"t": "result", "data": [1]}, {"t": "result", "data": {"a": {}, "b": "\\ud800"}},
          {"t": "error"}, {"t": "error", "name": ["x"], "traceback": 5}, {"t": "completed", "matches": 3}, {"t": "opened"}, {"t": "display", "data": {"x": "y" * 9}, "cut": "z"},
          {"t": "died", "session": "bystander"}, {"t": "event", "session": "bystander"}]: f(o)
f({"t": "ended", "cell": 1, "status": ["x"]})
f({"t": "result", "data": {"text/plain": "after the end"}})`;
    await forged('forger-4', odd);
    const ended = await client.next((m) => m.session === 'forger-4' && m.event?.type === 'ended');
    expect(ended.event).toMatchObject({ status: 'error' });
    // Its line to process 1 is not its to use, and a channel that is closed ends the session.
    await forged('forger-5', 'os.close(3)\nimport time; time.sleep(60)');
    await client.death('forger-5');
    expect(textOf(await client.run('bystander', 1, 'print("untouched")'))).toBe('untouched\n');
    expect(client.events.filter((m) => m.session === 'bystander').map((m) => m.t)).toEqual([
      'opened',
      'event',
      'event',
      'event',
    ]);
    await end('forger-4');
    await end('bystander');
  });

  test('a flood from one session leaves the others quick, and a client that does not read stops the flood', async () => {
    await client.open('flooding');
    await client.open('bystander-2');
    // Forged frames by the million, and such that grow in the server's own frames, are no way round the limits.
    await client.open('flooding-2');
    client.send({
      op: 'execute',
      session: 'flooding-2',
      cell: 1,
      code: `
import json, os, struct
def frame(o): b = json.dumps(o, ensure_ascii=False).encode(); return struct.pack(">I", len(b)) + b
def say(b):
    b = memoryview(b)
    while b: b = b[os.write(3, b):]
say(frame({"t": "display", "data": {"text/plain": "é" * 7_000_000}}))
say(frame({"t": "display", "data": {}, "cut": 10 ** 400}))
flood = frame({"t": "display", "data": {"a": ""}}) * 1000 + frame({"t": "error"}) * 1000
while True: say(flood)`,
    });
    const late = await client.next((m) => m.session === 'flooding-2' && m.event?.type === 'skipped');
    expect(late.event).toMatchObject({ bytes: 42_000_000 });
    await client.next((m) => m.session === 'flooding-2' && m.event?.type === 'died');
    const told = client.events.filter((m) => m.session === 'flooding-2');
    expect(told.length).toBeLessThan(1_000_000 / 32 + 10);
    expect(JSON.stringify(told).length).toBeLessThan(6_000_000);
    client.send({
      op: 'execute',
      session: 'flooding',
      cell: 1,
      code: 'import os\nb = b"x" * 65536\nwhile True: os.write(1, b)',
    });
    await client.next((m) => m.session === 'flooding' && m.event?.type === 'skipped');
    expect((await client.run('bystander-2', 1, '1 + 1')).at(-1)).toMatchObject({ status: 'ok' });
    await end('flooding');
    await end('bystander-2');
  });

  test('when a zygote dies its sessions die, and a new one takes its place', async () => {
    await client.open('orphan-1');
    const zygote = () => {
      const lines = processes().split('\n');
      const mine = (one: string) => one.trim().split(/\s+/)[1] === String(server.child.pid);
      const line = lines.find((one) => one.includes('--zygote python') && mine(one));
      return line === undefined ? null : Number(line.trim().split(/\s+/)[0]);
    };
    const first = zygote()!;
    process.kill(first, 'SIGKILL');
    expect((await client.death('orphan-1')).cause).toBe('crash');
    await client.next((m) => m.t === 'server' && m.server!.kernels.length === 0);
    // Nor is the kernel given up when the new one dies while it loads.
    const second = await vi.waitUntil(() => (zygote() === first ? null : zygote()), FAST);
    process.kill(second, 'SIGKILL');
    const seen = client.events.length;
    await client.next(
      (m) => client.events.indexOf(m) >= seen && m.t === 'server' && m.server!.kernels[0]?.pooled === 2,
    );
    await client.open('orphan-2');
    expect((await client.run('orphan-2', 1, '1')).at(-1)).toMatchObject({ status: 'ok' });
    await end('orphan-2');
  });

  test('sessions end with the client that opened them; a newer client replaces an older one; noise ends a connection', async () => {
    await client.open('leaving-1');
    // The cell has ended: no deadline will end this process, only the client's going.
    const code = 'import subprocess\np = subprocess.Popen(["sleep", "63.125"], start_new_session=True)';
    expect((await client.run('leaving-1', 1, code)).at(-1)).toMatchObject({ status: 'ok' });
    await vi.waitFor(() => expect(processes()).toContain('sleep 63.125'), FAST);
    const newer = await connectCompute(server.socketPath);
    expect(await newer.ready()).toMatchObject({ state: 'ready', sessions: 0 });
    await client.close();
    await vi.waitFor(() => expect(processes()).not.toContain('sleep 63.125'), FAST);
    await newer.open('leaving-1');
    newer.socket.write(Buffer.from('ffffffff00', 'hex'));
    await expect(newer.next((m) => m.t === 'never')).rejects.toThrow('closed');
    client = await connectCompute(server.socketPath);
    await client.ready();
    for (const odd of [
      {},
      { op: 1 },
      { op: 'open' },
      { op: 'execute', session: 'x' },
      { op: 'complete', session: {} },
      { op: 'terminate' },
    ])
      client.send(odd);
    await client.open('leaving-1');
    client.send({ op: 'execute', session: 'leaving-1', cell: 'x', code: 1 });
    expect((await client.run('leaving-1', 1, '1')).at(-1)).toMatchObject({ status: 'ok' });
    await end('leaving-1');
  });
});

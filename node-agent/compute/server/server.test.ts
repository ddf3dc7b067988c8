import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

// The server itself: states and refusals, hostile sessions and clients, deadlines, and what is left when it dies.

const absent = computeAbsent();
const skipped = absent ? ` (skipped: ${absent})` : '';
const processes = () => execFileSync('ps', ['-eo', 'pid,ppid,uid,args'], { encoding: 'utf8' });
const mounts = () => readFileSync('/proc/self/mounts', 'utf8');
/** The places where a server with this name keeps its groups. */
const groups = (name: string) =>
  execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-path', `*/${name}*`], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
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
  }, 60_000);
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
    const line = processes()
      .split('\n')
      .find((one) => one.includes('--zygote python') && one.trim().split(/\s+/)[1] === String(server.child.pid));
    process.kill(Number(line!.trim().split(/\s+/)[0]), 'SIGKILL');
    expect((await client.death('orphan-1')).cause).toBe('crash');
    await client.next((m) => m.t === 'server' && m.server!.kernels.length === 0);
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
    client.send({
      op: 'execute',
      session: 'leaving-1',
      cell: 1,
      code: 'import os\nif os.fork() == 0: os.setsid()\nos.execvp("sleep", ["sleep", "63.125"])',
    });
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

describe.skipIf(absent)(`the end of a compute server${skipped}`, () => {
  test('X8: kill -9 leaves no process and no mount; the next life sweeps its groups', async () => {
    const cgroupName = `webvirt-test-kill-${process.pid}`;
    const config = { kernels: ['python'], cgroupName };
    const before = mounts();
    const first = await startComputeServer({ config });
    const client = await connectCompute(first.socketPath);
    await client.ready();
    await client.open('orphan-3');
    const code = `
import os, signal, time
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
for i in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: os.execvp('sleep', ['sleep', '64.625'])
        os._exit(0)
print('on')
while True: time.sleep(1)`;
    client.send({ op: 'execute', session: 'orphan-3', cell: 1, code });
    await vi.waitFor(() => expect(processes().match(/sleep 64\.625/g)).toHaveLength(3), FAST);
    const family = processes()
      .split('\n')
      .filter((line) => line.includes('--zygote') && line.includes(` ${first.child.pid} `));
    expect(family).toHaveLength(1);
    await first.kill();
    await vi.waitFor(() => {
      expect(processes()).not.toContain('sleep 64.625');
      expect(existsSync(`/proc/${family[0]!.trim().split(/\s+/)[0]}`)).toBe(false);
    }, FAST);
    expect(mounts()).toBe(before);
    expect(groups(cgroupName).some((path) => /life-/.test(path))).toBe(true);

    const second = await startComputeServer({ config: { ...config, limits: { lifeMs: 300 } } });
    const again = await connectCompute(second.socketPath);
    expect((await again.ready()).state).toBe('ready');
    expect(new Set(groups(cgroupName).flatMap((path) => /life-\w+/.exec(path)?.[0] ?? [])).size).toBe(1);
    await again.open('aged-1234');
    expect(await again.death('aged-1234')).toEqual({
      cause: 'life-time',
      text: 'The session was 0.3 seconds old, the limit for a session.',
    });
    await again.open('stopped-1');
    expect(await second.stop()).toBe(0);
    expect(groups(cgroupName)).toEqual([]);
    expect(existsSync(second.socketPath)).toBe(false);
  });

  test('without control groups, or with such that do not bite, it computes nothing and says why', async () => {
    const bogus = await startComputeServer({ config: { kernels: ['python'], cgroupRoot: '/nonexistent' } });
    const client = await connectCompute(bogus.socketPath);
    expect(await client.ready()).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('cgroupRoot /nonexistent holds neither'),
      kernels: [],
    });
    await expect(client.open('refused-1')).rejects.toThrow('not-contained');
    expect(await bogus.stop()).toBe(0);

    // Plain files take every limit and hold nobody to it.
    const root = mkdtempSync(join(tmpdir(), 'wv-cgroup-'));
    writeFileSync(join(root, 'cgroup.controllers'), 'cpu memory pids');
    const paper = await startComputeServer({ config: { kernels: ['python'], cgroupRoot: root, cgroupName: 'paper' } });
    const other = await connectCompute(paper.socketPath);
    const state = await other.ready();
    expect(state.state).toBe('refused');
    const failed = state.checks.filter((check) => !check.holds).map((check) => check.name);
    expect(failed).toEqual(['memory', 'processes', 'cpu']);
    await expect(other.open('refused-2')).rejects.toThrow(
      'not-contained: The containment does not hold here (memory, processes, cpu)',
    );
    const life = join(root, 'paper', readdirSync(join(root, 'paper')).find((name) => name.startsWith('life-'))!);
    const made = readdirSync(life).find((name) => /^\d+$/.test(name))!;
    expect(readFileSync(join(life, made, 'memory.oom.group'), 'utf8')).toBe('1');
    expect(readFileSync(join(life, made, 'cpu.max'), 'utf8')).toMatch(/^\d+ 100000$/);
    expect(await paper.stop()).toBe(0);
    rmSync(root, { recursive: true, force: true });
  });

  test('it works in namespaces of its own, with the controllers where it is told', async () => {
    const command = [
      'unshare',
      '--pid',
      '--mount',
      '--net',
      '--uts',
      '--ipc',
      '--fork',
      '--mount-proc',
      '--kill-child',
    ];
    const config = { kernels: ['python'], cgroupRoot: '/sys/fs/cgroup' };
    const inside = await startComputeServer({ config, command });
    const client = await connectCompute(inside.socketPath);
    expect(await client.ready()).toMatchObject({ state: 'ready', reason: null });
    await client.open('nested-1');
    expect(textOf(await client.run('nested-1', 1, 'import os; print(os.getpid())'))).toBe('2\n');
    inside.child.stdin!.end();
    await vi.waitFor(() => expect(inside.child.exitCode).toBe(0), FAST);
    await inside.kill();
  });

  test('a configuration with an unknown key is refused with its name', async () => {
    await expect(startComputeServer({ config: { limits: { memory: 1 } } })).rejects.toThrow(
      'unknown key limits.memory',
    );
  });
});

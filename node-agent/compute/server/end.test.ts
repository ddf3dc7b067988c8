import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { computeAbsent, connectCompute, startComputeServer, textOf } from '../../../test/support/compute-server.ts';

// What is left when a server dies, and what it says where it cannot contain.

const absent = computeAbsent();
const skipped = absent ? ` (skipped: ${absent})` : '';
const processes = () => execFileSync('ps', ['-eo', 'pid,ppid,uid,args'], { encoding: 'utf8' });
/** What is mounted, but for what other tests mount meanwhile: temporary folders of their own, and network namespaces. */
const mounts = (own: string) =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => {
      const place = line.split(' ')[1] ?? '';
      return line.includes(own) || !(place.startsWith(`${tmpdir()}/`) || place.startsWith('/run/netns'));
    });
/** The places where a server with this name keeps its groups. */
const groups = (name: string) =>
  execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-path', `*/${name}*`], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
const FAST = { timeout: 20_000, interval: 5 };

// A busy machine takes its time; every wait here ends with an event.
vi.setConfig({ testTimeout: 60_000 });

describe.skipIf(absent)(`the end of a compute server${skipped}`, () => {
  test('X8: kill -9 leaves no process and no mount; the next life sweeps its groups', async () => {
    const cgroupName = `webvirt-test-kill-${process.pid}`;
    const config = { kernels: ['python'], cgroupName };
    const before = mounts('wv-compute-');
    const first = await startComputeServer({ config });
    const own = dirname(first.socketPath);
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
    expect(mounts(own)).toEqual(before);
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

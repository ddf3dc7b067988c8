import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type ComputeClient,
  computeAbsent,
  connectCompute,
  type RunningComputeServer,
  startComputeServer,
  textOf,
} from '../../../test/support/compute-server.ts';

// Abuses, tried from inside a session as its user would. Bombs are in limits.test.ts.

const absent = computeAbsent();
const MIB = 1024 * 1024;

// A busy machine takes its time; every wait here ends with an event.
vi.setConfig({ testTimeout: 60_000 });

describe.skipIf(absent)(`the containment${absent ? ` (skipped: ${absent})` : ''}`, () => {
  let server: RunningComputeServer;
  let client: ComputeClient;
  let count = 0;
  const fresh = async () => {
    const session = `abusing-${++count}`;
    await client.open(session);
    return session;
  };
  /** Runs code in a session of its own and reads the JSON that it prints. */
  const tell = async (code: string) => {
    const events = await client.run(await fresh(), 1, code);
    const problem = events.find((event) => event.type === 'error');
    if (problem?.type === 'error') throw new Error(problem.traceback);
    return JSON.parse(textOf(events));
  };

  beforeAll(async () => {
    const limits = {
      memoryBytes: 96 * MIB,
      diskBytes: 8 * MIB,
      processes: 40,
      sessions: 100,
      cpus: 0.5,
      cellMs: 8000,
    };
    server = await startComputeServer({ config: { kernels: ['python'], limits } });
    client = await connectCompute(server.socketPath);
    expect((await client.ready()).checks.filter((check) => !check.holds)).toEqual([]);
  });
  afterAll(async () => {
    await client.close();
    expect(await server.stop()).toBe(0);
  });

  test('X9: nothing can be reached, not even this host’s loopback', async () => {
    const listener = createServer(() => expect.unreachable()).listen(0, '127.0.0.1');
    await new Promise((done) => listener.once('listening', done));
    const { port } = listener.address() as { port: number };
    const found = await tell(`
import socket, json
def go(a):
    try: socket.create_connection(a, 2)
    except OSError as e: return type(e).__name__
    return 'done'
print(json.dumps([go(a) for a in [('127.0.0.1', ${port}), ('10.77.0.1', 80), ('169.254.169.254', 80), ('localhost', ${port}), ('example.com', 80)]]))`);
    listener.close();
    expect(found).not.toContain('done');
    expect(found.slice(0, 3)).toEqual(['PermissionError', 'PermissionError', 'PermissionError']);
  });

  test('X10, X14, X15, X17–X22: calls that break out of sandboxes', async () => {
    const found = await tell(readFileSync(join(import.meta.dirname, 'abuse.py'), 'utf8'));
    const { clone3, ...calls } = found.calls;
    expect(Object.entries(calls).filter(([, result]) => result !== 'EPERM')).toEqual([]);
    expect(clone3).toBe('ENOSYS');
    expect(Object.entries(found.families).filter(([, result]) => result !== 'EPERM')).toEqual([]);
    expect(found['newer calls']).toEqual(['ENOSYS', 'ENOSYS', 'ENOSYS', 'ENOSYS']);
    expect(found.sync).toEqual(['done', 'done', 'done']);
    expect([found.pair, found['own limit']]).toEqual(['done', 'done']);
    expect(found.tiocsti).toEqual(['EPERM', 'EPERM', 'EPERM']);
    expect(found.tty).toBe('ENOENT');
    expect(found.terminal).toBe('done');
    expect(found['other instruction sets']).toEqual([-31, -31]);
    expect(found.kill).toEqual(['ESRCH', 'ESRCH', 'ESRCH', 'ESRCH']);
    expect(found.setuid).toEqual(['EPERM', 'EPERM', 'EPERM']);
    for (const what of ['nice', 'mlock', 'mlockall', 'realtime', 'rlimits', 'oom'])
      expect([what, found[what]]).not.toEqual([what, 'done']);
    expect(found['memory of 1']).not.toContain('done');
    expect(found.descriptors).toEqual([0, 1, 2, 3]);
    expect(found.inherited).toBe(true);
    expect(found.groups).toEqual([[], 1]);
  });

  test('X11, X12: no socket and no file of the host, but /usr', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wv-secret-'));
    const secret = join(folder, 'key');
    writeFileSync(secret, 'secret', { mode: 0o644 });
    const found = await tell(`
import os, json, stat
sockets = []
for base, folders, files in os.walk('/', onerror=None):
    if base.startswith(('/proc', '/usr')): folders[:] = []; continue
    for f in files:
        p = os.path.join(base, f)
        if not os.path.islink(p) and stat.S_ISSOCK(os.lstat(p).st_mode): sockets.append(p)
paths = [${JSON.stringify(secret)}, ${JSON.stringify(import.meta.filename)}, '/etc/shadow', '/etc/libvirt', '/root', '/run/libvirt', '/run/dbus', '/run/docker.sock', '/var/lib', '/var/log', '/sys', '/boot', '/opt', '/srv', '/work', '/program', '/old']
print(json.dumps([sockets, [p for p in paths if os.path.exists(p)], sorted(os.listdir('/')), sorted(os.listdir('/etc')), sorted(os.listdir('/dev'))]))`);
    rmSync(folder, { recursive: true });
    expect(found.slice(0, 2)).toEqual([[], []]);
    const top = [
      'bin',
      'dev',
      'etc',
      'home',
      'lib',
      'lib32',
      'lib64',
      'libx32',
      'proc',
      'run',
      'sbin',
      'tmp',
      'usr',
      'var',
    ];
    expect(found[2].filter((name: string) => !top.includes(name))).toEqual([]);
    expect(found[3]).not.toEqual(expect.arrayContaining(['shadow']));
    expect(found[4]).toEqual([
      'fd',
      'full',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'urandom',
      'zero',
    ]);
  });

  test('X13: /proc shows its own processes and nothing of the machine', async () => {
    const found = await tell(`
import os, json
pids = [int(n) for n in os.listdir('/proc') if n.isdigit()]
others = [n for n in os.listdir('/proc') if not n.isdigit()]
def write(p):
    try: open(p, 'w').write('x')
    except OSError as e: return type(e).__name__
    return 'done'
writes = [write(p) for p in ('/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/self/uid_map', '/usr/x', '/etc/passwd', '/x', '/dev/x')]
mounts = open('/proc/self/mounts').read()
print(json.dumps([max(pids) < 10, sorted(others), writes, open('/proc/self/cgroup').read(), 'upper' in mounts, os.uname().nodename]))`);
    expect(found.slice(0, 2)).toEqual([true, ['self', 'thread-self']]);
    expect(found[2]).not.toContain('done');
    // Its group is the root of what it sees: the path on the host tells nothing about the host.
    expect(found[3]).not.toContain('life-');
    expect(found[5]).toBe('compute');
  });

  test('X16: setuid programs give nothing', async () => {
    const found = await tell(`
import subprocess, json, os
own = open('t', 'w'); own.write('#!/bin/sh\\nid -u'); own.close(); os.chmod('t', 0o4755)
runs = [subprocess.run(c, capture_output=True, text=True, stdin=subprocess.DEVNULL) for c in (['./t'], ['su', '-c', 'id -u'], ['sh', '-c', 'grep -c nosuid.*/usr /proc/self/mounts'])]
print(json.dumps([os.getuid(), runs[0].stdout.strip(), runs[1].returncode != 0 and '0' not in runs[1].stdout.split()]))`);
    expect(found[1]).toBe(String(found[0]));
    expect(found[2]).toBe(true);
  });

  test('X27: sessions do not meet: uid, shared memory, abstract sockets, /tmp', async () => {
    const leave = `
import os, json, socket, ctypes
libc = ctypes.CDLL(None)
s = socket.socket(socket.AF_UNIX); s.bind('\\0meet'); s.listen()
key = libc.shmget(4711, 4096, 0o1666)
open('/tmp/meet', 'w').write('x'); open('/dev/shm/meet', 'w').write('x')
print(json.dumps([os.getuid(), key >= 0]))`;
    const look = `
import os, json, socket, ctypes
libc = ctypes.CDLL(None)
s = socket.socket(socket.AF_UNIX)
print(json.dumps([os.getuid(), s.connect_ex('\\0meet') == 0, libc.shmget(4711, 4096, 0o666) >= 0, os.listdir('/tmp'), os.listdir('/dev/shm')]))`;
    const [mine, made] = await tell(leave);
    const [other, ...seen] = await tell(look);
    expect(made).toBe(true);
    expect(other).not.toBe(mine);
    expect(seen).toEqual([false, false, [], []]);
  });

  test('nothing in a session can be mistaken for root by the host', async () => {
    const s = await fresh();
    await client.run(s, 1, 'import subprocess; p = subprocess.Popen(["sleep", "61.25"])');
    const ps = execFileSync('ps', ['-eo', 'uid,args'], { encoding: 'utf8' });
    const uid = Number(/(\d+) sleep 61\.25/.exec(ps)?.[1]);
    expect(uid).toBeGreaterThanOrEqual(2_000_000_000);
  });
});

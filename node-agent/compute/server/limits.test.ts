import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type ComputeClient,
  computeAbsent,
  connectCompute,
  type RunningComputeServer,
  startComputeServer,
  textOf,
} from '../../../test/support/compute-server.ts';

// Bombs and floods, tried from inside a session as its user would: each ends at its limit.

const absent = computeAbsent();
const MIB = 1024 * 1024;

// A busy machine takes its time; every wait here ends with an event.
vi.setConfig({ testTimeout: 60_000 });

describe.skipIf(absent)(`the limits of a session${absent ? ` (skipped: ${absent})` : ''}`, () => {
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

  test('X1: a fork bomb stops at the cap; all dead soon after the end', async () => {
    const s = await fresh();
    const code = `
import os, time
made = 0
try:
    while True:
        if os.fork() == 0:
            os.setsid()
            while True: time.sleep(1)
        made += 1
except OSError as e: print(made, e.errno, flush=True)
time.sleep(60)`;
    client.send({ op: 'execute', session: s, cell: 1, code });
    const said = await client.next((m) => m.session === s && m.event?.type === 'stdout');
    expect(said.event).toMatchObject({ text: expect.stringMatching(/^38/) });
    client.send({ op: 'terminate', session: s, reason: 'x' });
    const asked = Date.now();
    const died = await client.next((m) => m.session === s && m.event?.type === 'died');
    expect(died.tsMs! - asked).toBeLessThan(1000);
  });

  test('X2, X3: memory is bounded as a whole, also over many processes', async () => {
    const s = await fresh();
    const code = `
import os
for i in range(12):
    if os.fork() == 0:
        x = bytearray(16 << 20)
        for p in range(0, len(x), 4096): x[p] = 1
        import time; time.sleep(60)
import time; time.sleep(60)`;
    client.send({ op: 'execute', session: s, cell: 1, code });
    const death = await client.death(s);
    expect(death.cause).toBe('out-of-memory');
    expect(death.text).toMatch(/96 MiB the kernel killed (\d+|a) process/);
  });

  test('X4: disk, inodes and sparse files end at the cap, /dev/shm included', async () => {
    const found = await tell(`
import os, json, errno
def fill(path):
    n = 0
    try:
        with open(path, 'wb', buffering=0) as f:
            while n < 1 << 28: n += f.write(bytes(65536))
    except OSError as e: return n, errno.errorcode[e.errno]
    return n, 'done'
a = fill('/tmp/a'); b = fill('/dev/shm/b'); c = fill('c')
os.remove('/tmp/a')
try: os.remove('/dev/shm/b'); os.remove('c')
except OSError: pass
try:
    f = open('sparse', 'wb'); f.truncate(1 << 40); sparse = 'done'
except OSError as e: sparse = errno.errorcode[e.errno]
made = 0
try:
    while made < 100_000: os.mkdir(f'd{made}'); made += 1
except OSError as e: inodes = errno.errorcode[e.errno]
print(json.dumps([a[0] + b[0] + c[0], b[1], c[1], sparse, made, inodes]))`);
    expect(found[0]).toBeLessThanOrEqual(8 * MIB);
    expect(found.slice(1, 4)).toEqual(['ENOSPC', 'ENOSPC', 'EFBIG']);
    expect(found[4]).toBeLessThan(2100);
    expect(found[5]).toBe('ENOSPC');
  });

  test('X5: hogs share one CPU quota, however many they are', async () => {
    const used = await tell(`
import os, time, json
for i in range(3):
    if os.fork() == 0:
        while True: pass
began = time.monotonic()
while time.monotonic() - began < 1: pass
total = sum(sum(map(int, open(f'/proc/{p}/stat').read().rpartition(')')[2].split()[11:13])) for p in os.listdir('/proc') if p.isdigit() and p != '1')
print(json.dumps(total / 100))`);
    expect(used).toBeLessThan(1);
  });
});

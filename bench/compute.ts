import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { ComputeServer, NumberedEvent, Session } from '../common/model/compute.ts';
import type { Envelope } from '../common/wire/envelope.ts';
import { untilBody } from '../test/support/live.ts';
import { runBench, type Undo } from './support/bench.ts';
import { type BenchCloud, startCloud } from './support/bench-cloud.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';
import type { Row } from './support/table.ts';

/**
 * Computations on a host, through the manager and the agent: a fresh session from the pool that computes `2+3`, and the
 * round trip in one that lives. Beside them, in the same run: a whole `sage -c`, and a bare fork of a process that has
 * Sage loaded.
 */
const FRESH = Number(process.env['BENCH_FRESH'] ?? 60);
const LIVE = Number(process.env['BENCH_LIVE'] ?? 200);
const BARE = 30;
const SAGE_CALLS = 3;
const PYTHON = '/usr/bin/python3';

const BARE_FORK = `
import os, sys, time
from sage.all import preparse
import sage.all, gc
scope = {}
exec('from sage.all import *', scope)
gc.freeze()
for i in range(${BARE}):
    start = time.perf_counter()
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, repr(eval(preparse('2+3'), scope)).encode())
        os._exit(0)
    os.close(write)
    assert os.read(read, 64) == b'5'
    print((time.perf_counter() - start) * 1000, flush=True)
    os.close(read)
    os.wait()
`;

interface Served extends ComputeServer {
  host: string;
}

async function pooled(cloud: BenchCloud, kernel: string): Promise<void> {
  const waits = (list: Served[]) =>
    list.some(
      ({ state, kernels }) => state === 'ready' && kernels.some((one) => one.name === kernel && one.pooled > 0),
    );
  await untilBody<Served[]>(cloud.socket, '/api/v1/compute/servers', waits);
}

async function fresh(cloud: BenchCloud, kernel: string): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < FRESH; i += 1) {
    await pooled(cloud, kernel);
    const start = performance.now();
    const run = await cloud.send<{ status: string; events: NumberedEvent[] }>('POST', '/api/v1/compute/run', {
      code: '2+3',
      kernel,
    });
    times.push(performance.now() - start);
    const result = run.events.find(({ event }) => event.type === 'result')?.event;
    if (run.status !== 'ok' || result?.type !== 'result' || result.data['text/plain'] !== '5')
      throw new Error(`2+3 came out as ${JSON.stringify(run)}`);
  }
  return times;
}

/** From the call to the pushed result of the cell. */
async function roundTrips(cloud: BenchCloud, kernel: string): Promise<number[]> {
  const { id } = await cloud.send<Session>('POST', '/api/v1/compute/sessions', { kernel });
  const times: number[] = [];
  let onResult = (_text: string | undefined) => {};
  cloud.socket.on('compute:output', ({ session, events }) => {
    if (session !== id) return;
    for (const { event } of events) if (event.type === 'result') onResult(event.data['text/plain']);
  });
  const attached = (await cloud.socket.emitWithAck('compute:attach', { session: id, from: 0 })) as Envelope<unknown>;
  if (attached.err !== null) throw new Error(`${attached.err}: ${attached.message}`);
  for (let i = 0; i < LIVE; i += 1) {
    const came = new Promise<string | undefined>((resolve) => {
      onResult = resolve;
    });
    const start = performance.now();
    await cloud.send('POST', `/api/v1/compute/sessions/${id}/cells`, { code: `${i}+3` });
    if ((await came) !== String(i + 3)) throw new Error(`${i}+3 came out wrong`);
    times.push(performance.now() - start);
  }
  await cloud.send('DELETE', `/api/v1/compute/sessions/${id}`);
  return times;
}

async function bareForks(): Promise<number[]> {
  const times: number[] = [];
  const env = { PATH: '/usr/bin:/bin', HOME: '/tmp', DOT_SAGE: `/tmp/webvirt-bench-${randomUUID()}` };
  const child = spawn(PYTHON, ['-c', BARE_FORK], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) times.push(Number(line));
  if (times.length !== BARE) throw new Error('the bare fork did not work');
  return times;
}

async function sageCalls(): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < SAGE_CALLS; i += 1) {
    const start = performance.now();
    await promisify(execFile)('sage', ['-c', 'print(2+3)']);
    times.push(performance.now() - start);
  }
  return times;
}

async function measure(later: (undo: Undo) => void): Promise<Row[]> {
  const cloud = await startCloud(later, { compute: true });
  const kernel = 'sage';
  await pooled(cloud, kernel);
  // The first of all pays for what is loaded once.
  await cloud.send('POST', '/api/v1/compute/run', { code: '2+3', kernel });
  const freshMs = await fresh(cloud, kernel);
  const pythonMs = await fresh(cloud, 'python');
  const liveMs = await roundTrips(cloud, kernel);
  const bareMs = await bareForks();
  const sageMs = await sageCalls();
  return [
    atMost('2+3 in a fresh Sage session, POST → result, p50', quantile(freshMs, 0.5), 'ms', 20),
    atMost('2+3 in a fresh Sage session, POST → result, p99', quantile(freshMs, 0.99), 'ms', 60),
    plainRow('2+3 in a fresh Python session, p50', quantile(pythonMs, 0.5), 'ms'),
    atMost('cell in a live session → result, p50', quantile(liveMs, 0.5), 'ms', 5),
    plainRow('cell in a live session → result, p99', quantile(liveMs, 0.99), 'ms'),
    plainRow('bare fork of a loaded Sage and 2+3, p50', quantile(bareMs, 0.5), 'ms'),
    plainRow("sage -c 'print(2+3)', p50", quantile(sageMs, 0.5), 'ms'),
  ];
}

await runBench('Computations', async (later) => {
  if (process.getuid?.() === 0) return measure(later);
  console.error('Not measured: the containment of computations needs root.');
  return [];
});

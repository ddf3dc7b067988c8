import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import cassandra from 'cassandra-driver';
import { openCassandraLines } from '../manager/store/cassandra/open.ts';
import { createIdentities } from '../test/support/agent-identity.ts';
import { cassandraMissing, freePort, startCassandra } from '../test/support/cassandra.ts';
import { startLineRoad } from '../test/support/line-road.ts';
import { runBench } from './support/bench.ts';
import { cpuSeconds } from './support/cpu.ts';
import { mixedColumns } from './support/ingest-agent.ts';

/**
 * Lines through the whole manager into one real node of Cassandra on loopback, everything on the same processors: an agent
 * in its own process sends spooled lines over TLS; links check and hand them to intake, the store writes them, the agent
 * is acked. `commitlog_sync: batch`: what is acked is on the disk. Beside it, in the same run and on the same node, the
 * driver alone: a row for each line, in unlogged batches into one partition each.
 */
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 15);
const BARE_LINES = 300_000;
const ROWS_PER_BATCH = 100;
const BATCHES_AT_ONCE = 32;
const KEEP_MS = 30 * 86_400_000;

const missing = await cassandraMissing();
if (missing !== null) {
  console.error(`skipped: no Cassandra (${missing})`);
  process.exit(0);
}
const dir = mkdtempSync(join(tmpdir(), 'webvirt-bench-'));

/** The driver's bare unlogged batches; a partition has ten of them. */
async function bare(port: number): Promise<number> {
  const client = new cassandra.Client({ contactPoints: [`127.0.0.1:${port}`], localDataCenter: 'datacenter1' });
  await client.connect();
  const simple = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
  await client.execute(`CREATE KEYSPACE bare WITH replication = ${simple}`);
  await client.execute('CREATE TABLE bare.lines (part int, seq int, ts bigint, message text, PRIMARY KEY (part, seq))');
  const insert = 'INSERT INTO bare.lines (part, seq, ts, message) VALUES (?, ?, ?, ?)';
  const texts = mixedColumns(0, 10_000).message;
  const write = (from: number) =>
    client.batch(
      Array.from({ length: ROWS_PER_BATCH }, (_, i) => ({
        query: insert,
        params: [Math.floor(from / 1_000), from + i, Date.now(), texts[(from + i) % texts.length]],
      })),
      { prepare: true, logged: false, consistency: cassandra.types.consistencies.localQuorum },
    );
  const pass = async (first: number, lines: number) => {
    let next = first;
    const runner = async () => {
      while (next < first + lines) {
        const from = next;
        next += ROWS_PER_BATCH;
        await write(from);
      }
    };
    const started = performance.now();
    await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, runner));
    return lines / ((performance.now() - started) / 1_000);
  };
  // The node's own compiler has seen nothing yet.
  await pass(0, 100_000);
  const rate = await pass(100_000, BARE_LINES);
  await client.shutdown();
  return rate;
}

interface Measured {
  lines: number;
  rate: number;
  commits: number;
  cpuSeconds: number;
  bytesPerLine: number;
  countMs: number;
  absentMs: number;
  looked: number;
  read: number;
  pageMs: number;
}

async function throughManager(port: number): Promise<Measured> {
  const identities = await createIdentities();
  const identity = await identities.agent();
  const roadDir = join(dir, 'road');
  mkdirSync(roadDir);
  const counts = { looked: 0, read: 0 };
  const store = await openCassandraLines({
    ...{ contactPoints: [`127.0.0.1:${port}`], localDataCenter: 'datacenter1', keyspace: 'webvirt', replication: '1' },
    counts,
    ...{ manager: 'bench', keepMs: { error: KEEP_MS, warn: KEEP_MS, info: KEEP_MS, debug: KEEP_MS } },
  });
  const road = await startLineRoad({ dir: roadDir, tls: identities.link, lines: store.lines });
  const child = fork(fileURLToPath(new URL('./support/ingest-agent.ts', import.meta.url)), [
    JSON.stringify({ identity, seconds: SECONDS }),
  ]);
  let cpuBefore = 0;
  const sent = await new Promise<{ seconds: number; lines: number }>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
    child.on('message', (said: { port?: number; seconds?: number; lines?: number }) => {
      if (said.port !== undefined) {
        cpuBefore = cpuSeconds(process.pid);
        road.enrol(identity.id, '127.0.0.1', said.port);
      }
      if (said.seconds !== undefined) resolve({ seconds: said.seconds, lines: said.lines ?? 0 });
    });
  });
  const cpu = cpuSeconds(process.pid) - cpuBefore;
  const { commits } = road.intake.counters;
  const [cursor] = await store.lines.cursors(identity.id);
  const stats = await store.lines.stats();
  const counted = await timed(() => store.lines.count({}));
  if (cursor?.next !== sent.lines || counted.value < sent.lines)
    throw new Error(`stored ${counted.value} of ${sent.lines} lines, up to ${cursor?.next}`);
  Object.assign(counts, { looked: 0, read: 0 });
  const absent = await timed(() => store.lines.search({ q: 'nothing of this kind' }, { limit: 100 }));
  if (absent.value.lines.length !== 0 || absent.value.next !== null) throw new Error('something absent was found');
  const { looked, read } = counts;
  const page = await timed(() => store.lines.query({ level: 'error', host: identity.id }, { limit: 100 }));
  if (page.value.lines.length !== 100) throw new Error('a page is not full');
  await road.stop();
  await store.close();
  return {
    ...{
      rate: sent.lines / sent.seconds,
      lines: sent.lines,
      commits,
      cpuSeconds: cpu,
      bytesPerLine: stats.bytesOnDisk / stats.lines,
    },
    ...{ countMs: counted.ms, absentMs: absent.ms, looked, read, pageMs: page.ms },
  };
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now();
  const value = await work();
  return { value, ms: performance.now() - started };
}

await runBench(`${SECONDS} s of lines into Cassandra, commitlog_sync: batch`, async (later) => {
  later(() => rmSync(dir, { recursive: true, force: true }));
  const node = await startCassandra({ dir: join(dir, 'node'), port: await freePort(), sync: 'batch' });
  later(() => node.kill());
  const rows = await bare(node.port);
  const measured = await throughManager(node.port);
  const ratio = measured.rate / rows;
  const none = { goal: null, ok: null };
  return [
    {
      ...{ name: 'through the whole manager, acked means on the disk', value: Math.round(measured.rate) },
      ...{ unit: 'lines/s', goal: '>= 30000', ok: measured.rate >= 30_000 },
    },
    { name: "driver's bare unlogged batches of rows", value: Math.round(rows), unit: 'rows/s', ...none },
    { name: 'manager / bare batches', value: Number(ratio.toFixed(2)), unit: '', goal: '>= 0.5', ok: ratio >= 0.5 },
    {
      name: 'lines per CPU second of the manager',
      value: Math.round(measured.lines / measured.cpuSeconds),
      unit: '',
      ...none,
    },
    { name: 'lines per commit', value: Math.round(measured.lines / measured.commits), unit: 'lines', ...none },
    {
      name: 'packed lines with their filters',
      value: Number(measured.bytesPerLine.toFixed(1)),
      unit: 'bytes/line',
      ...none,
    },
    {
      name: `count of ${measured.lines.toLocaleString('en')} lines`,
      value: Number(measured.countMs.toFixed(1)),
      unit: 'ms',
      ...none,
    },
    {
      name: `absent phrase in all lines, ${measured.read} of ${measured.looked} blocks unpacked`,
      value: Number(measured.absentMs.toFixed(1)),
      unit: 'ms',
      ...none,
    },
    { name: 'newest page by level and host', value: Number(measured.pageMs.toFixed(1)), unit: 'ms', ...none },
  ];
});

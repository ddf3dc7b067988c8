import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { openLineStore } from '../manager/store/duckdb/open.ts';
import type { LineBatch } from '../manager/store/ports.ts';
import { createIdentities } from '../test/support/agent-identity.ts';
import { startLineRoad } from '../test/support/line-road.ts';
import { runBench } from './support/bench.ts';
import { mixedColumns } from './support/ingest-agent.ts';

/**
 * Durable ingest: one agent in its own process sends spooled lines over TLS; links check and hand them to intake, the
 * store commits them, the agent is acked. Beside it, in the same run, the bare columnar appender of the database on
 * the same lines, and the time of a commit of a single line.
 */
const LINES = Number(process.env['BENCH_LINES'] ?? 1_000_000);
const dir = mkdtempSync(join(tmpdir(), 'webvirt-bench-'));

async function appendRaw(): Promise<number> {
  const store = await openLineStore(join(dir, 'raw.duckdb'));
  const per = 32_000;
  const batches: LineBatch[] = [];
  for (let first = 0; first < LINES; first += per) {
    const columns = mixedColumns(first, Math.min(per, LINES - first));
    const origin = { agent: 'raw', host: 'raw', hostName: 'raw', epoch: 'e'.repeat(16), hash: 'f'.repeat(32) };
    batches.push({ ...origin, first, count: columns.n, receivedMs: Date.now(), columns, gap: null });
  }
  const started = performance.now();
  for (const batch of batches) await store.lines.append([batch]);
  const seconds = (performance.now() - started) / 1_000;
  await store.close();
  return LINES / seconds;
}

async function singleCommits(): Promise<number[]> {
  const store = await openLineStore(join(dir, 'single.duckdb'));
  const times: number[] = [];
  for (let first = 0; first < 500; first += 1) {
    const columns = mixedColumns(first, 1);
    const origin = { agent: 'one', host: 'one', hostName: 'one', epoch: 'e'.repeat(16), hash: 'f'.repeat(32) };
    const started = performance.now();
    await store.lines.append([{ ...origin, first, count: 1, receivedMs: Date.now(), columns, gap: null }]);
    times.push(performance.now() - started);
  }
  await store.close();
  return times.sort((a, b) => a - b);
}

async function ingest(): Promise<{ rate: number; commits: number }> {
  const identities = await createIdentities();
  const identity = await identities.agent();
  const roadDir = mkdtempSync(join(dir, 'road-'));
  const road = await startLineRoad({ dir: roadDir, tls: identities.link });
  const child = fork(fileURLToPath(new URL('./support/ingest-agent.ts', import.meta.url)), [
    JSON.stringify({ identity, lines: LINES }),
  ]);
  const seconds = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
    child.on('message', (said: { port?: number; seconds?: number }) => {
      if (said.port !== undefined) road.enrol(identity.id, '127.0.0.1', said.port);
      if (said.seconds !== undefined) resolve(said.seconds);
    });
  });
  const { lines } = await road.store.lines.stats();
  const [cursor] = await road.store.lines.cursors(identity.id);
  if (cursor?.next !== LINES || lines < LINES) throw new Error(`stored ${lines} of ${LINES} lines`);
  const { commits } = road.intake.counters;
  await road.stop();
  return { rate: LINES / seconds, commits };
}

await runBench(`Ingest of ${LINES.toLocaleString('en')} lines`, async (later) => {
  later(() => rmSync(dir, { recursive: true, force: true }));
  const raw = await appendRaw();
  const { rate, commits } = await ingest();
  const single = await singleCommits();
  const at = (share: number) => single[Math.floor(single.length * share)]!;
  const goal = 100_000;
  return [
    {
      name: 'durable ingest, one agent',
      value: Math.round(rate),
      unit: 'lines/s',
      goal: `>= ${goal}`,
      ok: rate >= goal,
    },
    { name: 'bare columnar appender', value: Math.round(raw), unit: 'lines/s', goal: null, ok: null },
    { name: 'ingest / bare appender', value: Number((rate / raw).toFixed(2)), unit: '', goal: null, ok: null },
    { name: 'lines per commit', value: Math.round(LINES / commits), unit: 'lines', goal: null, ok: null },
    { name: 'commit of one line, p50', value: Number(at(0.5).toFixed(2)), unit: 'ms', goal: null, ok: null },
    { name: 'commit of one line, p99', value: Number(at(0.99).toFixed(2)), unit: 'ms', goal: null, ok: null },
  ];
});

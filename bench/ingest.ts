import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { valueAt } from '../common/wire/frames.ts';
import { openLineStore } from '../manager/store/duckdb/open.ts';
import type { LineBatch } from '../manager/store/ports.ts';
import { createIdentities } from '../test/support/agent-identity.ts';
import { startLineRoad } from '../test/support/line-road.ts';
import { runBench } from './support/bench.ts';
import { mixedColumns } from './support/ingest-agent.ts';
import { plainRow, quantile } from './support/stats.ts';

/**
 * Durable ingest: one agent in its own process sends over TLS as fast as it is acked; links check and hand the lines to
 * intake, the store commits and seals them, the agent is acked. Searches and counts go on meanwhile. Beside it, in the same
 * run: the ceiling of Node, which is to split the same lines as NDJSON and parse each; the bare columnar appender of the
 * database; and the time of a commit of a single line. BENCH_SECONDS=15 for a shorter look.
 */
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 60);
const LINES = 1_000_000;
const QUERY_EVERY_MS = 500;
/** Part of the run in which memory is filled for the first time. */
const WARM_UP = 1 / 3;
const dir = mkdtempSync(join(tmpdir(), 'webvirt-bench-'));

async function appendRaw(): Promise<number> {
  const store = await openLineStore(join(dir, 'raw.duckdb'), { sealLines: Infinity, sealCharacters: Infinity });
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
  return times;
}

/** Lines a second of splitting NDJSON and parsing each line, for the same lines. */
function parseRate(): number {
  const count = 200_000;
  const columns = mixedColumns(0, count);
  const rows = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      ...{ tsMs: columns.tsMs[i], level: valueAt(columns.level, i), source: valueAt(columns.source, i) },
      ...{ unit: valueAt(columns.unit, i), instance: valueAt(columns.instance, i), message: columns.message[i] },
      fields: columns.fields?.[i] ?? undefined,
    }),
  );
  const text = Buffer.from(rows.join('\n'));
  const started = performance.now();
  let parsed = 0;
  for (const row of text.toString().split('\n')) if ((JSON.parse(row) as { tsMs: number }).tsMs > 0) parsed += 1;
  if (parsed !== count) throw new Error(`parsed ${parsed} of ${count}`);
  return count / ((performance.now() - started) / 1_000);
}

/** Slope of the line through points (x, y) with the least squares. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0);
  return (
    over /
    Math.max(
      Number.EPSILON,
      points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0),
    )
  );
}

interface Ingested {
  rate: number;
  perCpuSecond: number;
  commits: number;
  lines: number;
  /** Files that were sealed meanwhile. */
  files: number;
  queries: number[];
  /** Growth of resident memory behind the warm-up, MB a minute: the slope of the line that fits best. */
  rssSlope: number;
  rssMb: number;
  rssMostMb: number;
  /** Part of the lines that was in sealed files at the end. */
  sealed: number;
  /** Part of the time for which the agent was held back because sealing was behind. */
  heldBack: number;
}

async function ingest(): Promise<Ingested> {
  const identities = await createIdentities();
  const identity = await identities.agent();
  const roadDir = mkdtempSync(join(dir, 'road-'));
  const road = await startLineRoad({ dir: roadDir, tls: identities.link });
  const child = fork(fileURLToPath(new URL('./support/ingest-agent.ts', import.meta.url)), [
    JSON.stringify({ identity, seconds: SECONDS }),
  ]);
  const rss: { atMs: number; mb: number }[] = [];
  const queries: number[] = [];
  let busy = false;
  const cpuBefore = process.cpuUsage();
  const timer = setInterval(async () => {
    rss.push({ atMs: performance.now(), mb: process.memoryUsage().rss / 1e6 });
    if (busy) return;
    busy = true;
    const started = performance.now();
    await road.store.lines.query({ level: 'error', q: 'session' }, { limit: 100 });
    await road.store.lines.count({ level: 'warn' });
    queries.push(performance.now() - started);
    busy = false;
  }, QUERY_EVERY_MS);
  const done = await new Promise<{ seconds: number; lines: number }>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
    child.on('message', (said: { port?: number; seconds?: number; lines?: number }) => {
      if (said.port !== undefined) road.enrol(identity.id, '127.0.0.1', said.port);
      if (said.seconds !== undefined) resolve({ seconds: said.seconds, lines: said.lines ?? 0 });
    });
  });
  clearInterval(timer);
  const cpu = process.cpuUsage(cpuBefore);
  const [cursor] = await road.store.lines.cursors(identity.id);
  const stored = await road.store.lines.count({ host: identity.id });
  if (cursor?.next !== done.lines || stored !== done.lines) throw new Error(`stored ${stored} of ${done.lines} lines`);
  const { commits } = road.intake.counters;
  const { lines: all, unsealedLines = 0, heldBackMs = 0 } = await road.store.lines.stats();
  await road.stop();
  const files = readdirSync(join(roadDir, 'lines')).filter((name) => name.endsWith('.parquet')).length;
  const warm = rss.slice(Math.floor(rss.length * WARM_UP));
  return {
    ...{ rate: done.lines / done.seconds, lines: done.lines, commits, files, queries },
    perCpuSecond: done.lines / ((cpu.user + cpu.system) / 1e6),
    rssSlope: slopeOf(warm.map(({ atMs, mb }) => [atMs / 60_000, mb])),
    rssMb: warm.at(-1)!.mb,
    rssMostMb: rss.reduce((most, { mb }) => Math.max(most, mb), 0),
    sealed: 1 - unsealedLines / all,
    heldBack: heldBackMs / 1_000 / done.seconds,
  };
}

await runBench(
  `Ingest for ${SECONDS} s`,
  async (later) => {
    later(() => rmSync(dir, { recursive: true, force: true }));
    const ceiling = parseRate();
    const done = await ingest();
    const raw = await appendRaw();
    const single = await singleCommits();
    const goal = 200_000;
    const perCpuGoal = 274_000;
    return [
      {
        name: 'durable ingest, sealing and queries on',
        value: Math.round(done.rate),
        unit: 'lines/s',
        goal: `>= ${goal}`,
        ok: done.rate >= goal,
      },
      {
        name: 'lines per CPU second of the manager',
        value: Math.round(done.perCpuSecond),
        unit: 'lines',
        goal: `>= ${perCpuGoal}`,
        ok: done.perCpuSecond >= perCpuGoal,
      },
      plainRow('split + JSON.parse', Math.round(ceiling), 'lines/s'),
      plainRow('ingest / split + JSON.parse', done.rate / ceiling, ''),
      plainRow('bare columnar appender', Math.round(raw), 'lines/s'),
      plainRow('ingest / bare appender', done.rate / raw, ''),
      plainRow('files sealed meanwhile', done.files, 'files'),
      plainRow('page and count meanwhile, p50', quantile(done.queries, 0.5), 'ms'),
      plainRow('page and count meanwhile, p99', quantile(done.queries, 0.99), 'ms'),
      plainRow('resident memory at the end', done.rssMb, 'MB'),
      plainRow('most of it', done.rssMostMb, 'MB'),
      plainRow('its growth behind the first third', done.rssSlope, 'MB/min'),
      plainRow('sealed at the end', done.sealed * 100, '%'),
      plainRow('time held back by sealing', done.heldBack * 100, '%'),
      plainRow('lines per commit', Math.round(done.lines / done.commits), 'lines'),
      plainRow('commit of one line, p50', quantile(single, 0.5), 'ms'),
      plainRow('commit of one line, p99', quantile(single, 0.99), 'ms'),
    ];
  },
  120_000 + SECONDS * 1_500,
);

import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { checkConfig } from '../common/pure/config/check.ts';
import { managerConfigSchema } from '../manager/config/schema.ts';
import { createManager } from '../manager/manager.ts';
import { openLineStore } from '../manager/store/duckdb/open.ts';
import type { LineBatch } from '../manager/store/ports.ts';
import { runBench } from './support/bench.ts';
import { madeOnce } from './support/made-once.ts';
import { KIND_HOSTS, NEEDLE, RECENT_NEEDLE, sixKinds } from './support/six-kinds.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';
import type { Row } from './support/table.ts';

/**
 * Searches over sealed lines, through the HTTP API of the whole manager: six kinds of message, 20 hosts, about 175 bytes
 * a line as JSON. Each is asked twice to warm up and then timed several times; the answer is checked. Beside them, in the
 * same run, `grep -F` over the same lines as JSON, its file in memory. BENCH_LINES=10000000 for the long run; with
 * BENCH_DATA=<folder> the lines are made once and stay there for the next run.
 */
const LINES = Number(process.env['BENCH_LINES'] ?? 3_000_000);
/** What the long run may take: most of it is to make the lines. */
const LIMIT_MS = 140_000 + LINES / 20;
const ROUND_OF_HOST = 1_600;
const TIMES = 7;
const kept = process.env['BENCH_DATA'];
const dir = kept ?? mkdtempSync(join(tmpdir(), 'webvirt-search-'));
const rawPath = join(dir, 'raw.json');

interface Built {
  rate: number;
  bytes: number;
  rawBytes: number;
  lines: number;
  fromMs: number;
  toMs: number;
}

/** Stores the lines as agents would have sent them, and seals them all. */
async function build(): Promise<Built> {
  const rounds = Math.ceil(LINES / (ROUND_OF_HOST * KIND_HOSTS));
  const raw = openSync(rawPath, 'w');
  const store = await openLineStore(join(dir, 'lines.duckdb'));
  const endMs = Date.now() - 60_000;
  const roundMs = ROUND_OF_HOST * KIND_HOSTS;
  let storing = 0;
  for (let round = 0; round < rounds; round += 1) {
    const fromMs = endMs - (rounds - round) * roundMs;
    const batches: LineBatch[] = [];
    for (let host = 0; host < KIND_HOSTS; host += 1) {
      const first = round * ROUND_OF_HOST;
      const at = { host, first, count: ROUND_OF_HOST, fromMs: fromMs + host, stepMs: KIND_HOSTS };
      const { columns, json } = sixKinds(at, (i) => markOf(round, rounds, host, i));
      writeSync(raw, json);
      const name = `host-${host}`;
      const origin = { agent: name, host: name, hostName: `node${host}.example`, epoch: `${host}`.padStart(16, '0') };
      const hash = `${first}`.padStart(32, '0');
      batches.push({
        ...{ ...origin, first, count: columns.n, hash, columns, gap: null },
        receivedMs: fromMs + roundMs + 50,
      });
    }
    const started = performance.now();
    await store.lines.append(batches);
    storing += performance.now() - started;
  }
  closeSync(raw);
  const started = performance.now();
  await store.seal();
  storing += performance.now() - started;
  const { lines } = await store.lines.stats();
  await store.close();
  const folder = join(dir, 'lines');
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  const fromMs = endMs - rounds * roundMs;
  return { rate: (lines / storing) * 1_000, bytes, lines, fromMs, toMs: endMs, rawBytes: statSync(rawPath).size };
}

/** The needle is in the middle, the recent one two rounds before the end. */
function markOf(round: number, rounds: number, host: number, i: number): string | null {
  if (host !== 7 || i !== 700) return null;
  if (round === Math.floor(rounds / 2)) return `unexpected ${NEEDLE} in the middle of everything`;
  return round === rounds - 2 ? `unexpected ${RECENT_NEEDLE} near the end` : null;
}

/** Milliseconds of `grep -F -c`, the best of three: its file is in memory then. */
async function grep(word: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const started = performance.now();
    await new Promise<void>((resolve) => void execFile('grep', ['-F', '-c', '--', word, rawPath], () => resolve()));
    times.push(performance.now() - started);
  }
  return Math.min(...times);
}

async function startManager(later: (undo: () => unknown) => void) {
  const raw = { dataDir: dir, port: 0, adminPassword: 'correct horse battery', logLevel: 'error' };
  const manager = createManager(checkConfig(managerConfigSchema, raw, { file: 'bench' }), {
    ...{ version: '0.0.0', webFolder: null, stderr: false },
  });
  later(() => manager.stop());
  const { url } = await manager.start();
  const token = readFileSync(join(dir, 'local', 'admin.token'), 'utf8').trim();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  later(() => agent.destroy());
  const get = <T>(path: string): Promise<T> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const asked = request(new URL(path, url), { agent, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => {
          const { err, message, data } = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
          if (err === null) resolve(data as T);
          else reject(new Error(`${path}: ${String(err)}: ${String(message)}`));
        });
      });
      asked.on('error', reject);
      asked.end();
    });
  // The manager is reachable before its lines are: it says so.
  for (let ready = false; !ready; ) {
    ready = await get(`/api/v1/logs?limit=1`).then(
      () => true,
      () => false,
    );
    if (!ready) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return get;
}

type Get = Awaited<ReturnType<typeof startManager>>;
interface Page {
  lines: { message: string; level: string; host: string }[];
}

/** The median of several; the first two warm up. */
async function timed<T>(get: Get, path: string, check: (answer: T) => boolean): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < TIMES + 2; i += 1) {
    const started = performance.now();
    const answer = await get<T>(path);
    if (i >= 2) times.push(performance.now() - started);
    if (!check(answer)) throw new Error(`${path}: a wrong answer: ${JSON.stringify(answer).slice(0, 300)}`);
  }
  return quantile(times, 0.5);
}

async function measure(get: Get, { fromMs, toMs, lines }: Built): Promise<Row[]> {
  const api = '/api/v1/logs';
  const q = encodeURIComponent;
  const whole = `from=${fromMs}&to=${toMs}`;
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
  const page = (text: string) =>
    timed<Page>(
      get,
      `${api}?q=${text}&limit=50&${whole}`,
      (a) => a.lines.length === 1 && a.lines[0]!.message.includes(text),
    );
  const count = (text: string, fits: (count: number) => boolean) =>
    timed<{ count: number }>(get, `${api}/count?q=${q(text)}&${whole}`, (a) => fits(a.count));
  const sixth = (count: number) => Math.abs(count - lines / 6) < lines / 100;
  return [
    atMost('needle word', await page(NEEDLE), 'ms', 20),
    atMost(
      'absent word',
      await timed<Page>(get, `${api}?q=nobodysaidthis&limit=50&${whole}`, (a) => a.lines.length === 0),
      ...(['ms', 5] as const),
    ),
    atMost('first match of a recent one', await page(RECENT_NEEDLE), 'ms', 20),
    atMost(
      'page by level and host',
      await timed<Page>(
        get,
        `${api}?level=error&host=host-3&limit=100`,
        ({ lines: found }) =>
          found.length === 100 && found.every(({ level, host }) => level === 'error' && host === 'host-3'),
      ),
      ...(['ms', 20] as const),
    ),
    atMost(
      'counts by level',
      await timed<{ count: number }[]>(
        get,
        `${api}/facets?field=level&${whole}`,
        (a) => a.reduce((total, one) => total + one.count, 0) === lines,
      ),
      ...(['ms', 60] as const),
    ),
    atMost(
      'histogram of everything',
      await timed<{ counts: Record<string, number> }[]>(
        get,
        `${api}/histogram?buckets=60&${whole}`,
        (a) => a.reduce((total, { counts }) => total + sum(counts), 0) === lines,
      ),
      ...(['ms', 60] as const),
    ),
    atMost('count of a phrase of a sixth', await count('"of user root"', sixth), 'ms', 300),
    atMost('regex with words, counted', await count('/user root from 10\\.0\\.[0-9]+\\.77$/', (n) => n > 0), 'ms', 600),
    atMost(
      'regex without any word, counted',
      await count('/[0-9]{2}7 [a-z]+ [a-z]+ [0-9a-f]+77$/', (n) => n > 0),
      'ms',
      600,
    ),
  ];
}

await runBench(
  `Search in ${LINES.toLocaleString('en')} sealed lines`,
  async (later) => {
    if (kept === undefined) later(() => rmSync(dir, { recursive: true, force: true }));
    const built = await madeOnce(kept, build);
    const get = await startManager(later);
    const rows = await measure(get, built);
    return [
      ...rows,
      atMost('disk, sealed files and filters', built.bytes / built.lines, 'B/line', 16),
      plainRow('database file, free for new lines', statSync(join(dir, 'lines.duckdb')).size / 1e6, 'MB'),
      plainRow('the same as JSON', built.rawBytes / built.lines, 'B/line'),
      plainRow('grep -F of the needle', await grep(NEEDLE), 'ms'),
      plainRow('grep -F of the phrase', await grep('of user root'), 'ms'),
      plainRow('stored and sealed, one process', Math.round(built.rate), 'lines/s'),
    ];
  },
  LIMIT_MS,
);

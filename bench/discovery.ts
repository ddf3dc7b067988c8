import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseCidr } from '../common/pure/ip/cidr.ts';
import { configOf } from '../crawler/config.ts';
import { createCrawler } from '../crawler/crawler.ts';
import { nmapArguments } from '../crawler/scan/nmap.ts';
import { fakeManager } from '../test/support/fake-manager.ts';
import { fakeAgent, fakeIdentity, helloOf, reply } from '../test/support/hello-agent.ts';
import { printRows, type Row } from './support/table.ts';

/**
 * Discovery, in two network namespaces of our own without a way out: a router behind which a /16 lies with 64 agents,
 * some 1,500 hosts that refuse, and silence. The crawler is the whole one, with a socket to a manager that only listens; bare
 * nmap runs beside it in the same run, with the same rate and flags.
 */
const PORT = 4601;
const RATE = 20_000;
const AGENTS = 64;
const ROUNDS = 2;
const LIMIT_MS = 150_000;
const WIDE = '10.99.0.0/16';
const agentAddress = (i: number) => `10.99.${i * 4}.${(i * 7) % 256}`;
const smallRange = (i: number) => `10.99.${i * 4}.0/24`;

async function serveAgents(): Promise<void> {
  await Promise.all(
    Array.from({ length: AGENTS }, async (_, i) => {
      const me = await fakeIdentity();
      await fakeAgent(me, (socket) => reply(socket, 200, helloOf(me.id)), { host: agentAddress(i), port: PORT });
    }),
  );
  console.log('up');
}

async function crawl(): Promise<void> {
  const bare: number[] = [];
  const ours: { ms: number; firstMs: number; found: number }[] = [];
  const small: { ms: number; firstMs: number; found: number }[] = [];
  const again: number[] = [];
  const bareSmall: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(bareNmap());
    const crawler = await startCrawler();
    ours.push(await crawler.scan(WIDE));
    await crawler.stop();
  }
  const crawler = await startCrawler();
  for (let i = 0; i < 20; i += 1) {
    bareSmall.push(bareNmap(smallRange(i)));
    small.push(await crawler.scan(smallRange(i)));
  }
  for (let i = 0; i < 20; i += 1) again.push((await crawler.scan(smallRange(i))).firstMs);
  await crawler.stop();

  const best = (list: number[]) => Math.min(...list);
  const ratio = best(ours.map((one) => one.ms)) / best(bare);
  const found = best(ours.map((one) => one.found));
  const [smallMs, firstMs] = [median(small.map((one) => one.ms)), small.map((one) => one.firstMs)];
  printRows('Discovery', [
    row('bare nmap, routed /16', best(bare) / 1_000, 's', '', true),
    row('crawler, routed /16', best(ours.map((one) => one.ms)) / 1_000, 's', '', true),
    row('crawler over bare nmap, /16', ratio, '×', '≤ 1.2', ratio <= 1.2),
    row('agents found of 64, /16', found, '', '64', found === AGENTS),
    row('bare nmap, /24, p50', median(bareSmall) / 1_000, 's', '', true),
    row('/24, p50', smallMs / 1_000, 's', '≤ 0.3', smallMs <= 300),
    row(
      'agents found of 20 /24',
      small.filter((one) => one.found === 1).length,
      '',
      '20',
      small.every((one) => one.found === 1),
    ),
    row('first finding of an unknown /24, p50', median(firstMs), 'ms', '≤ 300', median(firstMs) <= 300),
    row('first finding of an unknown /24, slowest', Math.max(...firstMs), 'ms', '', true),
    row(
      'first finding of an unknown /16',
      best(ours.map((one) => one.firstMs)),
      'ms',
      '≤ 300',
      best(ours.map((one) => one.firstMs)) <= 300,
    ),
    row('first finding where an agent was known', median(again), 'ms', '≤ 300', median(again) <= 300),
  ]);
}

function row(name: string, value: number, unit: string, goal: string, ok: boolean): Row {
  const promised = goal !== '';
  return {
    name,
    value: Math.round(value * 1_000) / 1_000,
    unit,
    goal: promised ? goal : null,
    ok: promised ? ok : null,
  };
}
function median(list: number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
}

/** Time of one call of nmap over the /16 with the crawler's flags; the cap on the rate is ours alone. */
function bareNmap(range = WIDE): number {
  const flags = nmapArguments(PORT, RATE, { blocks: [parseCidr(range)!], addresses: 65_536 });
  flags.splice(flags.indexOf('--max-rate'), 2);
  const started = performance.now();
  const { status } = spawnSync('nmap', flags, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`nmap ended with ${status}`);
  return performance.now() - started;
}

async function startCrawler() {
  const dataDir = mkdtempSync(join(tmpdir(), 'webvirt-bench-'));
  const manager = await fakeManager('bench');
  const off = { period: '0s' };
  const config = configOf({
    ...{ managerUrl: manager.url, dataDir, agentPort: PORT, ranges: [WIDE] },
    scans: { whole: off, silent: off, noAgent: off, known: off, manual: { rate: RATE } },
  });
  const silent = () => undefined;
  const crawler = createCrawler(config, {
    log: { error: silent, warn: silent, info: silent, debug: silent },
    lines: {
      epochs: () => [],
      read: () => [],
      acked: () => 'ok',
      newEpoch: silent,
      onSpooled: () => silent,
    },
    ...{ version: 'bench', token: () => 'bench', ca: undefined },
  });
  crawler.start();
  await manager.ready();
  let scans = 0;
  return {
    async scan(range: string) {
      scans += 1;
      const id = `bench-${scans}`;
      const started = performance.now();
      manager.run(id, range);
      let firstMs = Number.NaN;
      const first = manager
        .until(manager.findings, (one) => one.scanId === id)
        .then(() => {
          firstMs = performance.now() - started;
        });
      const { agents } = await manager.until(manager.scans, (one) => one.id === id && one.endedMs !== null);
      const ms = performance.now() - started;
      await first;
      return { ms, firstMs, found: agents };
    },
    async stop() {
      await crawler.stop();
      await manager.stop();
      rmSync(dataDir, { recursive: true });
    },
  };
}

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

async function inNamespaces(): Promise<void> {
  const [near, far] = [`wv-bench-a${process.pid}`, `wv-bench-b${process.pid}`];
  const children: ChildProcess[] = [];
  // When the time is up or somebody ends us, the children go and the namespaces with them, as at the normal end.
  const endChildren = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, endChildren);
  const timer = setTimeout(endChildren, LIMIT_MS);
  const self = (namespace: string, mode: string) => {
    const argv = [
      'netns',
      'exec',
      namespace,
      process.execPath,
      ...process.execArgv,
      fileURLToPath(import.meta.url),
      mode,
    ];
    const child = spawn('ip', [...argv, ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };
  try {
    for (const namespace of [near, far]) ip('netns', 'add', namespace);
    ip('-n', near, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', far);
    ip('-n', near, 'addr', 'add', '10.98.0.1/30', 'dev', 'v0');
    ip('-n', far, 'addr', 'add', '10.98.0.2/30', 'dev', 'v1');
    for (const namespace of [near, far]) ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', near, 'link', 'set', 'v0', 'up');
    ip('-n', far, 'link', 'set', 'v1', 'up');
    ip('-n', near, 'route', 'add', WIDE, 'via', '10.98.0.2');
    ip('-n', far, 'route', 'add', 'blackhole', WIDE);
    ip('-n', far, 'route', 'add', 'local', '10.99.66.0/23', 'dev', 'lo');
    ip('-n', far, 'route', 'add', 'local', '10.99.130.0/23', 'dev', 'lo');
    ip('-n', far, 'route', 'add', 'local', '10.99.194.0/23', 'dev', 'lo');
    for (let i = 0; i < AGENTS; i += 1) ip('-n', far, 'addr', 'add', `${agentAddress(i)}/32`, 'dev', 'lo');
    await new Promise((resolve) => self(far, 'agents').stdout?.once('data', resolve));
    const crawler = self(near, 'crawl');
    crawler.stdout?.pipe(process.stdout);
    process.exitCode = await new Promise<number>((resolve) => crawler.once('exit', (code) => resolve(code ?? 1)));
  } finally {
    clearTimeout(timer);
    endChildren();
    for (const namespace of [near, far]) spawnSync('ip', ['netns', 'del', namespace]);
  }
}

const mode = process.argv[2];
if (mode === 'agents') await serveAgents();
else if (mode === 'crawl') await crawl();
else await inNamespaces();

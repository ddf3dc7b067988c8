import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { WebSocketServer } from 'ws';
import type { Host } from '../common/model/host.ts';
import { untilBody } from '../test/support/live.ts';
import { PASSWORD, type Stack, startStack } from '../test/support/stack.ts';
import { runBench } from './support/bench.ts';
import { newContext, openBrowser, signIn } from './support/browser.ts';
import { wallOffsetMs } from './support/clock.ts';
import { browserCpuSeconds, cpuSeconds, machineCpuSeconds, waitedSeconds } from './support/cpu.ts';
import { type Latencies, latenciesOf } from './support/latencies.ts';
import { hasPainted, readSight, type Sight, watchPaints, watchSockets } from './support/paint-watch.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';
import { talk } from './support/talk.ts';

/**
 * A winston call in an agent → a painted frame of the Live page in a real browser, at 5,000 lines/s: the built manager, an
 * agent made of the real parts, the real console. Beside it, in the same browser, the floor: a bare WebSocket that
 * brings each line to a page which appends a row; nothing is stored there.
 */
const PER_MS = 5;
const WARM_SECONDS = 3;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 15);
const FLOOR_SECONDS = Math.min(6, SECONDS);
const PAINT_LIMIT_MS = 20_000;

interface Run {
  sight: Sight;
  latencies: Latencies;
  seconds: number;
}

async function measured(page: Page, watch: { selector: string; drawnInFrame: boolean }, say: Talk, seconds: number) {
  const offsetMs = await page.evaluate(wallOffsetMs);
  await page.evaluate(watchPaints, { ...watch, offsetMs });
  const calls = await say({ perMs: PER_MS, seconds: WARM_SECONDS + seconds });
  await page.waitForFunction(hasPainted, calls.length - 1, { polling: 100, timeout: PAINT_LIMIT_MS });
  const sight = await page.evaluate(readSight);
  const firstMs = calls[0]! + WARM_SECONDS * 1_000;
  return { sight, latencies: latenciesOf(calls, sight, firstMs), seconds: (calls.at(-1)! - calls[0]!) / 1_000 };
}
type Talk = (order: { perMs: number; seconds: number }) => Promise<number[]>;

async function throughConsole(browser: Browser, stack: Stack, agent: ChildProcess): Promise<Run> {
  const context = await newContext(browser);
  await context.addInitScript(watchSockets);
  const page = await context.newPage();
  await signIn(page, `${stack.url}/#/live`, PASSWORD);
  await page.locator('.stream-space .row:not([hidden])').first().waitFor();
  const say: Talk = async (order) => {
    agent.send(order);
    const [said] = (await once(agent, 'message')) as [{ calls?: number[]; error?: string }];
    if (said.calls === undefined) throw new Error(`the agent did not talk: ${said.error}`);
    return said.calls;
  };
  return measured(page, { selector: '.stream-space', drawnInFrame: true }, say, SECONDS);
}

/** A page of 40 rows, each line appended when its message comes; and the server that sends each line by itself. */
const FLOOR_PAGE = `<!doctype html><meta charset="utf-8"><body style="font:13px monospace"><div id="rows"></div><script>
const rows = document.getElementById('rows');
new WebSocket('ws://' + location.host).onmessage = ({ data }) => {
  const row = document.createElement('div');
  row.textContent = data;
  rows.append(row);
  if (rows.childElementCount > 40) rows.firstElementChild.remove();
};
</script>`;

async function floor(browser: Browser): Promise<Run> {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(FLOOR_PAGE));
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const context = await newContext(browser);
    await context.addInitScript(watchSockets);
    const page = await context.newPage();
    const connected = once(sockets, 'connection');
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await connected;
    const offsetMs = wallOffsetMs();
    const say: Talk = (order) =>
      talk(order, offsetMs, (text) => {
        for (const client of sockets.clients) client.send(text);
      });
    const run = await measured(page, { selector: '#rows', drawnInFrame: false }, say, FLOOR_SECONDS);
    await context.close();
    return run;
  } finally {
    for (const client of sockets.clients) client.terminate();
    server.close();
  }
}

/** Seconds of processor time from now until it is asked; `rest` is what everything else on the machine used. */
async function watchCpu(browser: Browser, pids: { manager: number; agent: number }) {
  const look = async () => {
    const [manager, agent] = [cpuSeconds(pids.manager), cpuSeconds(pids.agent)];
    const inBrowser = await browserCpuSeconds(browser);
    const rest = machineCpuSeconds() - manager - agent - inBrowser;
    return { manager, agent, browser: inBrowser, rest, waited: waitedSeconds(pids.manager) };
  };
  const before = await look();
  return async () => {
    const after = await look();
    const used = (name: keyof typeof after) => after[name] - before[name];
    return (name: keyof typeof after, seconds: number) => (100 * used(name)) / seconds;
  };
}

/** It ends itself when the channel to us closes. */
async function stopAgent(agent: ChildProcess): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return;
  const ended = once(agent, 'exit');
  if (agent.connected) agent.disconnect();
  await ended;
}

function startAgent(stack: Stack): ChildProcess {
  const place = { dataDir: join(stack.dir, 'talking'), enrolFile: join(stack.dataDir, 'local', 'enrol.json') };
  const path = fileURLToPath(new URL('./support/talking-agent.ts', import.meta.url));
  return fork(path, [JSON.stringify(place)], { execArgv: ['--import', 'tsx'] });
}

await runBench(`Live at ${(PER_MS * 1_000).toLocaleString('en')} lines/s`, async (later) => {
  const starting = startStack();
  later(async () => (await starting).stop());
  const stack = await starting;
  const agent = startAgent(stack);
  later(() => stopAgent(agent));
  await once(agent, 'message');
  const online = (list: Host[]) => list.some((host) => host.state === 'online');
  await untilBody<Host[]>(stack.socket(), '/api/v1/hosts', online);
  const opening = openBrowser();
  later(async () => (await opening).close());
  const browser = await opening;
  const bare = await floor(browser);
  const cpu = await watchCpu(browser, { manager: stack.manager.child.pid!, agent: agent.pid! });
  const { sight, latencies, seconds } = await throughConsole(browser, stack, agent);
  const share = await cpu();
  const { painted, toManager, toPage, toFrame } = latencies;
  return [
    atMost('call → painted frame, p50', quantile(painted, 0.5), 'ms', 40),
    atMost('call → painted frame, p99', quantile(painted, 0.99), 'ms', 100),
    plainRow('  longest of all lines', quantile(painted, 1), 'ms'),
    plainRow('  agent and link, p50', quantile(toManager, 0.5), 'ms'),
    plainRow('  agent and link, p99', quantile(toManager, 0.99), 'ms'),
    plainRow('  commit and live road, p50', quantile(toPage, 0.5), 'ms'),
    plainRow('  commit and live road, p99', quantile(toPage, 0.99), 'ms'),
    plainRow('  page → painted frame, p50', quantile(toFrame, 0.5), 'ms'),
    plainRow('  page → painted frame, p99', quantile(toFrame, 0.99), 'ms'),
    plainRow('longest frame of the page', sight.longestFrameMs, 'ms'),
    atMost('lines skipped', sight.skipped, 'lines', 0),
    plainRow('rate of calls', (PER_MS * (WARM_SECONDS + SECONDS) * 1_000) / seconds, 'lines/s'),
    plainRow('processor, manager', share('manager', seconds), '%'),
    plainRow('processor, agent', share('agent', seconds), '%'),
    plainRow('processor, browser', share('browser', seconds), '%'),
    plainRow('processor, everything else', share('rest', seconds), '%'),
    plainRow('manager waited for a processor', share('waited', seconds), '%'),
    plainRow('floor: bare socket → frame, p50', quantile(bare.latencies.painted, 0.5), 'ms'),
    plainRow('floor: bare socket → frame, p99', quantile(bare.latencies.painted, 0.99), 'ms'),
  ];
});

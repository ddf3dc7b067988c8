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
import { runBench, type Undo } from './support/bench.ts';
import { newContext, openBrowser, signIn } from './support/browser.ts';
import { wallOffsetMs } from './support/clock.ts';
import { browserCpuSeconds, cpuSeconds, machineCpuSeconds, waitedSeconds } from './support/cpu.ts';
import { type Latencies, latenciesOf } from './support/latencies.ts';
import { windowRows } from './support/live-window.ts';
import { hasPainted, readSight, type Sight, watchPaints, watchSockets } from './support/paint-watch.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';
import type { Row } from './support/table.ts';
import { talk } from './support/talk.ts';

/**
 * A winston call in an agent → a painted frame of the Live page in a real browser, at 5,000 and at 10,000 lines/s: the built
 * manager, an agent made of the real parts, the real console. Beside it, in the same browser, the floor: a bare WebSocket
 * that brings each line to a page which appends a row; nothing is stored there. Then the console alone, with long windows.
 * `BENCH_PART=window` or `road` runs one half.
 */
const PER_MS = 5;
const FAST_PER_MS = 10;
const WARM_SECONDS = 3;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const FLOOR_SECONDS = Math.min(6, SECONDS);
const PART = process.env['BENCH_PART'] ?? 'all';
const PAINT_LIMIT_MS = 20_000;

interface Run {
  sight: Sight;
  latencies: Latencies;
  seconds: number;
}

interface Measured {
  watch: { selector: string; drawnInFrame: boolean };
  perMs: number;
  seconds: number;
}

async function measured(page: Page, say: Talk, { watch, perMs, seconds }: Measured): Promise<Run> {
  const offsetMs = await page.evaluate(wallOffsetMs);
  await page.evaluate(watchPaints, { ...watch, offsetMs });
  const calls = await say({ perMs, seconds: WARM_SECONDS + seconds });
  await page.waitForFunction(hasPainted, calls.length - 1, { polling: 100, timeout: PAINT_LIMIT_MS });
  const sight = await page.evaluate(readSight);
  const firstMs = calls[0]! + WARM_SECONDS * 1_000;
  return { sight, latencies: latenciesOf(calls, sight, firstMs), seconds: (calls.at(-1)! - calls[0]!) / 1_000 };
}
type Talk = (order: { perMs: number; seconds: number }) => Promise<number[]>;

async function throughConsole(browser: Browser, stack: Stack, agent: ChildProcess, perMs: number): Promise<Run> {
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
  const run = await measured(page, say, {
    watch: { selector: '.stream-space', drawnInFrame: true },
    perMs,
    seconds: SECONDS,
  });
  await context.close();
  return run;
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
    const run = await measured(page, say, {
      watch: { selector: '#rows', drawnInFrame: false },
      perMs: PER_MS,
      seconds: FLOOR_SECONDS,
    });
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

/** The whole road at one rate. Rows that promise carry the rate in their name. */
function roadRows(rate: string, { sight, latencies, seconds }: Run, perMs: number, goals: [number, number]): Row[] {
  const { painted, toManager, toPage, toFrame } = latencies;
  return [
    atMost(`${rate}: call → painted frame, p50`, quantile(painted, 0.5), 'ms', goals[0]),
    atMost(`${rate}: call → painted frame, p99`, quantile(painted, 0.99), 'ms', goals[1]),
    plainRow('  longest of all lines', quantile(painted, 1), 'ms'),
    plainRow('  agent and link, p50', quantile(toManager, 0.5), 'ms'),
    plainRow('  agent and link, p99', quantile(toManager, 0.99), 'ms'),
    plainRow('  commit and live road, p50', quantile(toPage, 0.5), 'ms'),
    plainRow('  commit and live road, p99', quantile(toPage, 0.99), 'ms'),
    plainRow('  page → painted frame, p50', quantile(toFrame, 0.5), 'ms'),
    plainRow('  page → painted frame, p99', quantile(toFrame, 0.99), 'ms'),
    plainRow('  longest frame of the page', sight.longestFrameMs, 'ms'),
    atMost('  lines skipped', sight.skipped, 'lines', 0),
    plainRow('  rate of calls', (perMs * (WARM_SECONDS + SECONDS) * 1_000) / seconds, 'lines/s'),
  ];
}

async function road(browser: Browser, later: (undo: Undo) => void): Promise<Row[]> {
  const starting = startStack();
  later(async () => (await starting).stop());
  const stack = await starting;
  const agent = startAgent(stack);
  later(() => stopAgent(agent));
  await once(agent, 'message');
  const online = (list: Host[]) => list.some((host) => host.state === 'online');
  await untilBody<Host[]>(stack.socket(), '/api/v1/hosts', online);
  const bare = await floor(browser);
  const cpu = await watchCpu(browser, { manager: stack.manager.child.pid!, agent: agent.pid! });
  const usual = await throughConsole(browser, stack, agent, PER_MS);
  const share = await cpu();
  const fast = await throughConsole(browser, stack, agent, FAST_PER_MS);
  return [
    ...roadRows('5,000/s', usual, PER_MS, [40, 100]),
    plainRow('  processor, manager', share('manager', usual.seconds), '%'),
    plainRow('  processor, agent', share('agent', usual.seconds), '%'),
    plainRow('  processor, browser', share('browser', usual.seconds), '%'),
    plainRow('  processor, everything else', share('rest', usual.seconds), '%'),
    plainRow('  manager waited for a processor', share('waited', usual.seconds), '%'),
    ...roadRows('10,000/s', fast, FAST_PER_MS, [20, 50]),
    plainRow('floor: bare socket → frame, p50', quantile(bare.latencies.painted, 0.5), 'ms'),
    plainRow('floor: bare socket → frame, p99', quantile(bare.latencies.painted, 0.99), 'ms'),
  ];
}

await runBench('Live', async (later) => {
  const opening = openBrowser();
  later(async () => (await opening).close());
  const browser = await opening;
  return [
    ...(PART === 'window' ? [] : await road(browser, later)),
    ...(PART === 'road' ? [] : await windowRows(browser, later)),
  ];
});

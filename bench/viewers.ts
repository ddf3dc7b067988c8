import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket as NetSocket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import type { Host } from '../common/model/host.ts';
import { untilBody } from '../test/support/live.ts';
import { startStack } from '../test/support/stack.ts';
import { runBench } from './support/bench.ts';
import { cpuSeconds } from './support/cpu.ts';
import type { Report } from './support/many-viewers.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';
import type { Row } from './support/table.ts';

/**
 * A winston call in an agent → the message in the hands of each of 200 viewers, at 5,000 lines/s: the built manager, an
 * agent of the real parts in its own process, the viewers in two others. In every second run one viewer more hangs: it
 * takes nothing from its connection. Then the same without agent and store.
 */
const PER_MS = 5;
const VIEWERS = Number(process.env['BENCH_VIEWERS'] ?? 200);
const PROCESSES = 2;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 6);
const RUNS = 3;
const ARRIVE_LIMIT_MS = 10_000;

type Later = (undo: () => unknown) => void;

interface Seen {
  all: number[];
  fromManager: number[];
  /** p99 of the viewer that had it worst. */
  worst: number;
  skips: number;
  bytesPerSecond: number;
}

const start = (file: string, order: object): ChildProcess =>
  fork(fileURLToPath(new URL(`./support/${file}.ts`, import.meta.url)), [JSON.stringify(order)], {
    execArgv: ['--import', 'tsx'],
  });

async function asked<T>(child: ChildProcess, question: unknown): Promise<T> {
  child.send(question as object);
  const [answer] = (await once(child, 'message')) as [T];
  return answer;
}

async function run(agent: ChildProcess, viewers: ChildProcess[]): Promise<Seen> {
  for (const child of viewers) await asked(child, 'begin');
  const { calls, error } = await asked<{ calls?: number[]; error?: string }>(agent, {
    perMs: PER_MS,
    seconds: SECONDS,
  });
  if (calls === undefined) throw new Error(`the agent did not talk: ${error}`);
  const untilMs = performance.now() + ARRIVE_LIMIT_MS;
  for (;;) {
    const reports = await Promise.all(viewers.map((child) => asked<Report>(child, 'report')));
    const newest = Math.min(...reports.flatMap((report) => report.newest));
    if (newest === calls.length - 1) {
      const lists = reports.flatMap((report) => report.latencies);
      return {
        all: lists.flat(),
        fromManager: reports.flatMap((report) => report.fromManager),
        worst: Math.max(...lists.map((list) => quantile(list, 0.99))),
        skips: reports.reduce((sum, report) => sum + report.skips, 0),
        bytesPerSecond: reports.reduce((sum, report) => sum + report.bytes, 0) / SECONDS,
      };
    }
    if (performance.now() > untilMs) throw new Error(`a viewer saw only line ${newest} of ${calls.length}`);
    await sleep(100);
  }
}

/** A viewer that asked for all lines and then takes nothing from its connection any more. */
async function stalledViewer({ url, token }: Place): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (data) => {
      const text = String(data);
      if (text.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`);
      else if (text.startsWith('40')) socket.send('420["logs:tail",{"id":"t","source":"agent"}]');
      else if (text.startsWith('43')) resolve();
    });
  });
  (socket as unknown as { _socket: NetSocket })._socket.pause();
  return socket;
}

interface Place {
  url: string;
  token: string;
}
interface Both {
  without: Seen[];
  beside: Seen[];
  processorPercent: number;
}

/** Runs without and beside a viewer that hangs, in turn: this machine is not equally quiet at all times. */
async function alternate(place: Place, talker: ChildProcess, pid: number, later: Later): Promise<Both> {
  const viewers: ChildProcess[] = [];
  for (let i = 0; i < PROCESSES; i += 1) {
    const child = start('many-viewers', { ...place, viewers: VIEWERS / PROCESSES });
    viewers.push(child);
    later(() => child.connected && child.disconnect());
    await once(child, 'message');
  }
  await run(talker, viewers);
  const [without, beside]: [Seen[], Seen[]] = [[], []];
  const before = { cpu: cpuSeconds(pid), ms: performance.now() };
  for (let i = 0; i < RUNS; i += 1) {
    without.push(await run(talker, viewers));
    const stalled = await stalledViewer(place);
    beside.push(await run(talker, viewers));
    stalled.terminate();
  }
  const processorPercent = (100_000 * (cpuSeconds(pid) - before.cpu)) / (performance.now() - before.ms);
  for (const child of viewers) child.disconnect();
  return { without, beside, processorPercent };
}

function rowsOf(from: string, { without, beside, processorPercent }: Both, isPart: boolean): Row[] {
  const all = without.flatMap((seen) => seen.all);
  const fromManager = without.flatMap((seen) => seen.fromManager);
  const median = (list: number[]) => quantile(list, 0.5);
  const worst = {
    without: median(without.map((seen) => seen.worst)),
    beside: median(beside.map((seen) => seen.worst)),
  };
  const skips = [...without, ...beside].reduce((sum, seen) => sum + seen.skips, 0);
  const inManager = [
    plainRow('  from the manager on (its commit and live road), p50', median(fromManager), 'ms'),
    plainRow('  from the manager on, p99', quantile(fromManager, 0.99), 'ms'),
  ];
  return [
    plainRow(`${from} → viewer, p50`, median(all), 'ms'),
    atMost(`${from} → viewer, p99`, quantile(all, 0.99), 'ms', 100),
    plainRow('  longest', quantile(all, 1), 'ms'),
    ...(isPart ? [] : inManager),
    plainRow('  p99 of the viewer that had it worst', worst.without, 'ms'),
    plainRow('  the same beside one that hangs', worst.beside, 'ms'),
    atMost('  ratio', worst.beside / worst.without, '', 1.1),
    atMost('  messages that skipped lines', skips, 'messages', 0),
    plainRow('  to all viewers', median(without.map((seen) => seen.bytesPerSecond)) / 1e6, 'MB/s'),
    plainRow('  processor, its process', processorPercent, '%'),
  ];
}

await runBench(`${VIEWERS} viewers at ${(PER_MS * 1_000).toLocaleString('en')} lines/s`, async (later) => {
  const starting = startStack();
  later(async () => (await starting).stop());
  const stack = await starting;
  const place = { dataDir: join(stack.dir, 'talking'), enrolFile: join(stack.dataDir, 'local', 'enrol.json') };
  const agent = start('talking-agent', place);
  later(() => agent.connected && agent.disconnect());
  await once(agent, 'message');
  const online = (list: Host[]) => list.some((host) => host.state === 'online');
  await untilBody<Host[]>(stack.socket(), '/api/v1/hosts', online);
  const whole = await alternate(stack, agent, stack.manager.child.pid!, later);
  const road = start('live-road', {});
  later(() => road.connected && road.disconnect());
  const [roadPlace] = (await once(road, 'message')) as [Place];
  const alone = await alternate(roadPlace, road, road.pid!, later);
  return [...rowsOf('call', whole, false), ...rowsOf('the live road alone: committed', alone, true)];
});

import type { ChildProcess } from 'node:child_process';
import type { Page } from 'playwright-core';
import type { Host } from '../common/model/host.ts';
import type { Instance } from '../common/model/instance.ts';
import type { Job } from '../common/model/job.ts';
import { untilBody } from '../test/support/live.ts';
import { runBench, type Undo } from './support/bench.ts';
import { type BenchCloud, PASSWORD, startCloud } from './support/bench-cloud.ts';
import { newContext, openBrowser, signIn } from './support/browser.ts';
import { pressedMs, watchButtons } from './support/button-watch.ts';
import { wallOffsetMs } from './support/clock.ts';
import { changesSeen, forgetChanges, rowShows, watchChanges } from './support/row-watch.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';
import type { Row } from './support/table.ts';

/**
 * State and commands on a host with a real libvirt, seen in a real browser: what virsh does behind our back until it is
 * painted, a press of a button until virsh runs on the host, and reading the state of all instances of a host.
 */
const INSTANCES = 16;
const RUNNING = 2;
const CHANGES = Number(process.env['BENCH_CHANGES'] ?? 100);
const PRESSES = Number(process.env['BENCH_PRESSES'] ?? 60);

async function guests({ host, socket }: BenchCloud): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < INSTANCES; i += 1)
    ids.push(await host.defineGuest({ name: `bench-${String(i).padStart(2, '0')}`, running: i < RUNNING }));
  const known = (list: Instance[]) => ids.every((id) => list.some((one) => one.id === id));
  await untilBody<Instance[]>(socket, '/api/v1/instances', known);
  return ids;
}

/** From the words reaching a virsh that is there already: what libvirt itself takes is inside. */
async function behindOurBack(page: Page, virsh: ChildProcess, id: string): Promise<number[]> {
  const offsetMs = wallOffsetMs();
  const times: number[] = [];
  for (let i = 0; i < CHANGES; i += 1) {
    const [verb, text] = i % 2 === 0 ? ['suspend', 'paused'] : ['resume', 'running'];
    await page.evaluate(forgetChanges);
    const saidMs = offsetMs + performance.now();
    virsh.stdin!.write(`${verb} ${id}\n`);
    await page.waitForFunction(rowShows, { id, text: text! }, { polling: 10, timeout: 10_000 });
    times.push((await page.evaluate(changesSeen)).paintedMs! - saidMs);
  }
  return times;
}

/** From the click to the start of virsh as the agent journals it. */
async function press(page: Page, cloud: BenchCloud, id: string): Promise<number[]> {
  const times: number[] = [];
  await page.goto(`${cloud.console.url}/#/instances/${id}`);
  const before = new Set((await cloud.get<Job[]>('/api/v1/jobs?limit=1000')).map((job) => job.id));
  for (let i = 0; i < PRESSES; i += 1) {
    const action = i % 2 === 0 ? 'pause' : 'resume';
    await page.locator(`.buttons [data-act="${action}"]`).click({ timeout: 10_000 });
    const ended = (list: Job[]) => list.some((job) => !before.has(job.id) && job.endedMs !== null);
    await untilBody<Job[]>(cloud.socket, '/api/v1/jobs', ended);
    const job = (await cloud.get<Job[]>('/api/v1/jobs')).find((one) => !before.has(one.id))!;
    if (job.state !== 'done' || job.startedMs === null)
      throw new Error(`${action}: ${job.state} ${job.error?.message}`);
    before.add(job.id);
    times.push(job.startedMs - (await page.evaluate(pressedMs)));
  }
  return times;
}

async function measure(later: (undo: Undo) => void): Promise<Row[]> {
  const cloud = await startCloud(later);
  const ids = await guests(cloud);
  const opening = openBrowser();
  later(async () => (await opening).close());
  const browser = await opening;
  const page = await (await newContext(browser)).newPage();
  await signIn(page, `${cloud.console.url}/#/instances`, PASSWORD);
  await page.locator(`.t-row[data-id="${ids[0]}"]`).waitFor();
  const offsetMs = await page.evaluate(wallOffsetMs);
  await page.evaluate(watchChanges, offsetMs);
  await page.evaluate(watchButtons, offsetMs);
  const virsh = cloud.host.spawn(['virsh', '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] });
  later(() => virsh.kill());
  const shown = await behindOurBack(page, virsh, ids[0]!);
  const started = await press(page, cloud, ids[1]!);
  const agentId = (await cloud.get<Host[]>('/api/v1/hosts'))[0]!.id;
  const { apiMs, virshMs, listed } = await cloud.probe(agentId, ids);
  if (listed !== INSTANCES) throw new Error(`the agent lists ${listed} of ${INSTANCES} instances`);
  return [
    plainRow('virsh behind our back → shown, p50', quantile(shown, 0.5), 'ms'),
    atMost('virsh behind our back → shown, p99', quantile(shown, 0.99), 'ms', 150),
    plainRow('button → virsh runs on the host, p50', quantile(started, 0.5), 'ms'),
    atMost('button → virsh runs on the host, p99', quantile(started, 0.99), 'ms', 100),
    atMost('status of 16 instances, agent, p50', quantile(apiMs, 0.5), 'ms', 2),
    plainRow('16 virsh domstate side by side, p50', quantile(virshMs, 0.5), 'ms'),
  ];
}

await runBench('State and commands on a real libvirt', async (later) => {
  if (process.getuid?.() === 0) return measure(later);
  console.error('Not measured: a lab of hosts with a real libvirt needs root.');
  return [];
});

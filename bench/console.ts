import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Instance } from '../common/model/instance.ts';
import type { FakeAgent } from '../test/support/fake-agent.ts';
import { untilBody } from '../test/support/live.ts';
import { PASSWORD, startStack } from '../test/support/stack.ts';
import { runBench } from './support/bench.ts';
import { newContext, openBrowser, type Storage, signIn } from './support/browser.ts';
import { wallOffsetMs } from './support/clock.ts';
import { enrolMany } from './support/many-agents.ts';
import {
  changesSeen,
  firstRowsMs,
  forgetChanges,
  rowShows,
  shownIds,
  watchChanges,
  watchFirstRows,
} from './support/row-watch.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';

/** The console of a cloud of 1,000 instances on 50 hosts: how soon it is there, how little a change paints, how big it is. */
const HOSTS = 50;
const INSTANCES = 20;
const TOTAL = '1\u2009000 of 1\u2009000';
const LOADS = 7;
const CHANGES = 25;

interface Load {
  rowsMs: number;
  /** Addresses of the scripts and styles that were loaded until the rows stood there. */
  parts: string[];
}

/** One load with an empty cache, signed in already. */
async function load(browser: Browser, url: string, storage: Storage): Promise<Load> {
  const context = await newContext(browser, storage);
  try {
    await context.addInitScript(watchFirstRows, TOTAL);
    const page = await context.newPage();
    await page.goto(`${url}/#/instances`);
    await page.waitForFunction(firstRowsMs, undefined, { polling: 50, timeout: 20_000 });
    const rowsMs = (await page.evaluate(firstRowsMs))!;
    const parts = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map((entry) => entry.name)
        .filter((name) => /\.(js|css)$/.test(new URL(name).pathname)),
    );
    return { rowsMs, parts };
  } finally {
    await context.close();
  }
}

/** Bytes of an answer's body as gzip carries it. */
function gzippedBytes(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      if (response.headers['content-encoding'] !== 'gzip') return reject(new Error(`${url} is not sent as gzip`));
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
      });
      response.on('end', () => resolve(bytes));
    }).on('error', reject);
  });
}

/** Changes instances on screen one after another: rows painted by each, and the time from the agent's word on. */
async function change(page: Page, agents: FakeAgent[]): Promise<{ rows: number[]; times: number[] }> {
  const ids = await page.evaluate(shownIds);
  const offsetMs = wallOffsetMs();
  await page.evaluate(watchChanges, await page.evaluate(wallOffsetMs));
  const seen: { rows: number[]; times: number[] } = { rows: [], times: [] };
  for (let i = 0; i < CHANGES; i += 1) {
    const id = ids[i % Math.min(ids.length, 10)]!;
    const agent = agents.find((one) => one.instances.some((instance) => instance.id === id))!;
    const vcpus = 101 + i;
    await page.evaluate(forgetChanges);
    const saidMs = offsetMs + performance.now();
    agent.change(id, { vcpus });
    await page.waitForFunction(rowShows, { id, text: String(vcpus) }, { polling: 20, timeout: 10_000 });
    const { rows, paintedMs } = await page.evaluate(changesSeen);
    seen.rows.push(rows.length);
    seen.times.push(paintedMs! - saidMs);
  }
  return seen;
}

await runBench(`Console of ${HOSTS * INSTANCES} instances on ${HOSTS} hosts`, async (later) => {
  const starting = startStack();
  later(async () => (await starting).stop());
  const stack = await starting;
  const caPem = readFileSync(join(stack.dataDir, 'ca', 'ca.pem'), 'utf8');
  const agents = await enrolMany(stack, caPem, HOSTS, INSTANCES);
  later(() => Promise.all(agents.map((agent) => agent.stop())));
  const whole = (list: Instance[]) => list.length === HOSTS * INSTANCES && list.every((one) => !one.stale);
  await untilBody<Instance[]>(stack.socket(), '/api/v1/instances', whole);
  const opening = openBrowser();
  later(async () => (await opening).close());
  const browser = await opening;
  const context = await newContext(browser);
  const page = await context.newPage();
  await signIn(page, `${stack.url}/#/instances`, PASSWORD);
  await page.getByText(TOTAL).waitFor();
  const storage = await context.storageState();
  const { rows, times } = await change(page, agents);
  await page.close();
  const loads: Load[] = [];
  for (let i = 0; i < LOADS; i += 1) loads.push(await load(browser, stack.url, storage));
  const firsts = loads.map(({ rowsMs }) => rowsMs);
  const sizes = await Promise.all([...new Set(loads[0]!.parts)].map(gzippedBytes));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return [
    atMost('instances page, first rows, p50', quantile(firsts, 0.5), 'ms', 1_000),
    plainRow('  slowest load', quantile(firsts, 1), 'ms'),
    atMost('rows painted by one change, most', quantile(rows, 1), 'rows', 1),
    plainRow('  change of an agent → painted, p50', quantile(times, 0.5), 'ms'),
    plainRow('  change of an agent → painted, most', quantile(times, 1), 'ms'),
    atMost('script and style, gzipped', bytes / 1_000, 'kB', 150),
    plainRow('  files', sizes.length, 'files'),
  ];
});

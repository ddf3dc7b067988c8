import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { ROOT } from '../../test/support/program.ts';
import type { Undo } from './bench.ts';
import { newContext } from './browser.ts';
import { jumpTo, scrollSteadily, takeFrames, watchFrames } from './frame-watch.ts';
import { atMost, plainRow, quantile } from './stats.ts';
import type { Row } from './table.ts';

/** One row of a window: how many lines it holds, how many come, and what is promised of the longest frame. */
interface WindowRun {
  name: string;
  lines: number;
  perSecond: number;
  seconds: number;
  goalMs: number;
}

/** A dropped frame of 60 a second: the next one came a whole frame late. */
const DROPPED_MS = 33.4;
const FLOOD_BATCH = 1_000;
const FLOOD_STEP = 50_000;
const SCROLLED_FRAMES = 180;
const WHEEL_PX = 120;
const JUMPS = [0.5, 0.02, 0.97, 0.33, 0.71, 0.1, 0.88, 0.25, 0.6, 0.45];

const RUNS: WindowRun[] = [
  { name: '100,000 lines held, 5,000/s', lines: 100_000, perSecond: 5_000, seconds: 6, goalMs: DROPPED_MS },
  { name: '100,000 lines held, 50,000/s', lines: 100_000, perSecond: 50_000, seconds: 5, goalMs: 50 },
];
const MOST_LINES = 1_000_000;

/**
 * The console alone, fed by a pretended manager: long windows and rates that one browser must bear, whatever a manager does.
 * Beside each the floor: an empty page of the same browser for as long.
 */
export async function windowRows(browser: Browser, later: (undo: Undo) => void): Promise<Row[]> {
  const server = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      join(ROOT, 'web/dev/mock-server.ts'),
      '--port',
      '0',
      '--still',
      '--dist',
      join(ROOT, 'dist/web'),
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  later(() => stop(server));
  const [text] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string];
  const { url } = JSON.parse(text) as { url: string };
  const tell = async (word: string, body: object = {}) =>
    void (await fetch(`${url}/mock/${word}`, { method: 'POST', body: JSON.stringify(body) }));
  await tell('sign-in');
  const rows: Row[] = [];
  const idle = await emptyFrames(browser, 3_000);
  rows.push(plainRow('floor: longest frame of an empty page', Math.max(...idle), 'ms'));
  for (const run of RUNS) {
    const page = await openWindow(browser, url, run.lines);
    await fill(page, tell, run.lines + FLOOD_STEP);
    await page.evaluate(watchFrames);
    await tell('stream', { perSecond: run.perSecond, seconds: run.seconds });
    await page.waitForTimeout(run.seconds * 1_000);
    const gaps = await page.evaluate(takeFrames);
    const late = gaps.filter((ms) => ms > DROPPED_MS).length;
    rows.push(atMost(`${run.name}, longest frame`, Math.max(...gaps), 'ms', run.goalMs));
    rows.push(plainRow('  p99 of its frames', quantile(gaps, 0.99), 'ms'));
    rows.push(plainRow('  frames that came late', late, `of ${gaps.length}`));
    await page.context().close();
  }
  const page = await openWindow(browser, url, MOST_LINES);
  await fill(page, tell, MOST_LINES);
  const jumps: number[] = [];
  for (const share of JUMPS) jumps.push(await page.evaluate(jumpTo, share));
  const gaps = await page.evaluate(scrollSteadily, { px: WHEEL_PX, frames: SCROLLED_FRAMES });
  const heapMiB = await page.evaluate(() => {
    const { memory } = performance as unknown as { memory?: { usedJSHeapSize: number } };
    return (memory?.usedJSHeapSize ?? 0) / 1_048_576;
  });
  rows.push(atMost('1,000,000 lines held, longest jump', Math.max(...jumps), 'ms', 100));
  rows.push(atMost('  scrolled, p95 of its frames', quantile(gaps, 0.95), 'ms', 17.5));
  rows.push(plainRow('  scrolled, longest frame', Math.max(...gaps), 'ms'));
  rows.push(plainRow('  memory of its scripts', heapMiB, 'MiB'));
  await page.context().close();
  return rows;
}

async function openWindow(browser: Browser, url: string, keepLines: number): Promise<Page> {
  const context = await newContext(browser);
  await context.addInitScript(`localStorage.setItem('webvirt-stream', '${JSON.stringify({ keepLines })}')`);
  const page = await context.newPage();
  await page.goto(`${url}/#/live`);
  await page.locator('.stream-space .row:not([hidden])').first().waitFor();
  return page;
}

/** Puts so many lines into the window, a part at a time: what stands in no queue is not measured. */
async function fill(page: Page, tell: (word: string, body: object) => Promise<void>, lines: number): Promise<void> {
  for (let sent = 0; sent < lines; sent += FLOOD_STEP) {
    await tell('flood', { batches: FLOOD_STEP / FLOOD_BATCH, size: FLOOD_BATCH });
    const message = `filled ${sent} ${Date.now()}`;
    await tell('lines', { lines: [{ message }] });
    await page.getByText(message, { exact: true }).waitFor();
  }
}

async function emptyFrames(browser: Browser, ms: number): Promise<number[]> {
  const context = await newContext(browser);
  const page = await context.newPage();
  await page.evaluate(watchFrames);
  await page.waitForTimeout(ms);
  const gaps = await page.evaluate(takeFrames);
  await context.close();
  return gaps;
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import { ROOT } from '../support/program.ts';
import { PASSWORD, type Stack, startStack } from '../support/stack.ts';
import { launchBrowser, type WatchedPage, watchedPage } from './browser.ts';

// The real manager over a sealed file with a flipped byte: what people and scripts are told of it.

const LINES = 12_000;
const WORDS = /^[\d\s]+ lines of .* cannot be read: the disk lost them/;

let stack: Stack;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    startStack({ manager: { WEBVIRT_LINES_SEAL_LINES: '10000' } }),
    launchBrowser(),
  ]);
  const lines = Array.from({ length: LINES }, (_, i) => ({ message: `stored ${i}`, unit: `unit-${i % 3}` }));
  for (const from of [0, LINES / 2]) await stack.api('POST', '/api/v1/logs', lines.slice(from, from + LINES / 2));
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
  watched = await watchedPage(context);
  page = watched.page;
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

it('the console shows a store without damage', async () => {
  const folder = join(stack.dataDir, 'lines');
  const sealed = () => readdirSync(folder).find((name) => name.endsWith('.parquet'));
  const isSealed = async () => {
    const { unsealedLines = LINES } = await stack.get<{ unsealedLines?: number }>('/api/v1/logs/store');
    return unsealedLines < LINES && sealed() !== undefined;
  };
  await expect.poll(isSealed).toBe(true);
  await page.goto(`${stack.url}/#/ledger`);
  await page.locator('#email').fill('admin@localhost');
  await page.locator('#password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('.store-panel').getByText('No damage is known').waitFor();
  const path = join(folder, sealed()!);
  const bytes = readFileSync(path);
  bytes[100]! ^= 1;
  writeFileSync(path, bytes);
});

it('the console says it below the bars, above the facets, and where an export is counted', async () => {
  await page.goto(`${stack.url}/#/live?q=stored`);
  for (const place of ['.histogram-lost', '.facets-lost']) {
    await page.locator(place).filter({ hasText: 'cannot be read' }).waitFor();
    expect(await page.locator(place).textContent(), place).toMatch(WORDS);
  }
  await page.keyboard.press('e');
  await page.locator('.export-lost').filter({ hasText: 'missing in the file' }).waitFor();
  expect(await page.locator('.export-lost').textContent()).toMatch(WORDS);
  await page.keyboard.press('Escape');
});

it('the page of the ledger names the file', async () => {
  await page.goto(`${stack.url}/#/ledger`);
  const panel = page.locator('.store-panel');
  await panel.getByText(/\.parquet/).waitFor();
  expect(await panel.textContent()).toMatch(/cannot be read: the disk lost them.*Put the files of a backup back/s);
  expect(await panel.textContent()).toMatch(/compared with their checksums/);
  await page.locator('.ledger-verdict.is-lost', { hasText: 'But the disk lost some of what was stored' }).waitFor();
  expect(watched.faults).toEqual([]);
});

it('the log says it once at level error, with the file and the times', async () => {
  const filter = `q=${encodeURIComponent('"sealed lines is missing or damaged"')}`;
  const { lines } = await stack.get<{ lines: Line[] }>(`/api/v1/logs?${filter}`);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: 'error', source: 'manager' });
  const { file, fromMs, toMs } = lines[0]!.fields as Record<string, unknown>;
  expect([file, typeof fromMs, typeof toMs]).toEqual([expect.stringMatching(/\.parquet$/), 'number', 'number']);
});

it('the metrics and the command line say it, and an export of it ends with 3', async () => {
  const headers = { authorization: `Bearer ${stack.token}` };
  const metrics = await (await fetch(`${stack.url}/metrics`, { headers })).text();
  expect(Number(/^webvirt_lines_unreadable (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
  const env = { ...process.env, WEBVIRT_URL: stack.url, WEBVIRT_TOKEN: stack.token };
  const webvirt = (...words: string[]) =>
    new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
      const command = [join(ROOT, 'dist/cli/main.js'), 'search', 'stored', ...words];
      execFile(process.execPath, command, { env, maxBuffer: 2 ** 26 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : error.code, out, err }),
      );
    });
  const counted = await webvirt('--count');
  expect(counted).toMatchObject({ code: 0, err: expect.stringContaining("the manager's disk lost them") });
  const exported = await webvirt('--export', 'ndjson');
  expect(exported).toMatchObject({ code: 3, err: expect.stringMatching(/\d+ lines .* cannot be read/) });
  expect(exported.out.trimEnd().split('\n')).toHaveLength(Number(counted.out));
  expect(await webvirt('--export', 'csv', '-n', '5')).toMatchObject({ code: 3, err: expect.stringMatching(/was cut/) });
});

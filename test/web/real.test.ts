import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Instance } from '../../common/model/instance.ts';
import type { Line } from '../../common/model/line.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { untilBody } from '../support/live.ts';
import { type Program, ROOT, startProgram } from '../support/program.ts';
import { PASSWORD, type Stack, startStack } from '../support/stack.ts';
import { atRest, launchBrowser, shownMessages, type WatchedPage, watchedPage } from './browser.ts';
import { PAYLOADS, RAW } from './payloads.ts';

// The console as it is shipped, on the real manager, agent and crawler: one story, told in order, on one page.

let stack: Stack;
let stranger: Program;
let browser: Browser;
let context: BrowserContext;
let console_: WatchedPage;
let page: Page;
/** Ids of the lines that the socket brought to the page, in order. */
const brought: string[] = [];

beforeAll(async () => {
  const [started, launched] = await Promise.all([startStack({ agent: true }), launchBrowser()]);
  [stack, browser] = [started, launched];
  // An agent that nobody has enrolled, in the only range that the crawler may scan.
  stranger = await startProgram('node-agent', {
    WEBVIRT_AGENT_DATA_DIR: join(stack.dir, 'stranger'),
    WEBVIRT_AGENT_LISTEN: '127.0.0.1',
    WEBVIRT_AGENT_PORT: '0',
    WEBVIRT_AGENT_LIBVIRT_URI: 'test:///default',
  });
  await stack.startCrawler({
    WEBVIRT_CRAWLER_RANGES: '127.0.0.1/32',
    WEBVIRT_AGENT_PORT: String(stranger.ready['port']),
  });
  await untilBody<Instance[]>(stack.socket(), '/api/v1/instances', (list) => list[0]?.state === 'running');
  context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
  console_ = await watchedPage(context);
  page = console_.page;
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => {
      const text = String(payload);
      if (!text.startsWith('42["logs:lines"')) return;
      const [, batch] = JSON.parse(text.slice(2)) as [string, { lines: Line[] }];
      brought.push(...batch.lines.map(({ id }) => id));
    });
  });
});
afterAll(async () => {
  await browser?.close();
  await stranger?.end();
  await stack?.stop();
});

const post = (messages: string[]) =>
  stack.api(
    'POST',
    '/api/v1/logs',
    messages.map((message) => ({ message, fields: { [message]: message } })),
  );
const signIn = async (on: Page, password: string) => {
  await on.locator('#email').fill('admin@localhost');
  await on.locator('#password').fill(password);
  await on.keyboard.press('Enter');
};
const rowOf = (text: string) => page.locator('.row:not([hidden])', { hasText: text });

it('lets in who knows the password, and nobody else', async () => {
  await page.goto(`${stack.url}/`);
  await signIn(page, 'not the password');
  await page.locator('[role="alert"]', { hasText: 'password is wrong' }).waitFor();
  expect(await page.locator('.rail').count()).toBe(0);
  await signIn(page, PASSWORD);
  await page.locator('.rail').waitFor();
});

it('shows lines of the host from before and every new one as it comes', async () => {
  await page.locator('.row:not([hidden])').first().waitFor();
  await post(['one more line']);
  await rowOf('one more line').waitFor();
  expect((await shownMessages(page)).filter((text) => text === 'one more line')).toHaveLength(1);
});

it('shows hostile lines as text: no dialog, no breach of the policy, no new element', async () => {
  await post(Array.from({ length: 60 }, (_, index) => `plain ${index}`));
  await rowOf('plain 59').waitFor();
  // Colours alone make elements: pieces of the message, with nothing in them but text.
  const elements = () =>
    page.evaluate(() => document.querySelectorAll('.stream-space *:not(.c-message > span)').length);
  const before = await elements();
  const seen = new Set<string>();
  for (let i = 0; i < PAYLOADS.length; i += 14) {
    const part = PAYLOADS.slice(i, i + 14).map((text, index) => `${i + index}: ${text}`);
    await post(part);
    // In the message: a colon behind a number stands in times, too.
    await page
      .locator('.row:not([hidden]) .c-message', { hasText: `${i + part.length - 1}: ` })
      .last()
      .waitFor();
    for (const text of await shownMessages(page)) seen.add(text);
    expect(await elements()).toBe(before);
  }
  // A lone surrogate is no UTF-8: it arrives as it was, or as U+FFFD once it was stored.
  const forms = (text: string) =>
    [text, text.replaceAll(/[\ud800-\udfff]/gu, '\ufffd')].map((one) =>
      visibleText(one.replaceAll(/\u001b\[[\d;]*m/g, '')),
    );
  const sent = PAYLOADS.map((text, index) => `${index}: ${text}`);
  const missing = sent.filter((text) => !forms(text).some((form) => seen.has(form)));
  expect(missing).toEqual([]);
  // biome-ignore lint/performance/useDomNodeTextContent: what is on the screen is the question, not what is in the tree.
  expect(RAW.exec(await page.evaluate(() => document.body.innerText))).toBeNull();
  expect(console_.faults).toEqual([]);
});

it('pauses with space, counts what comes, and goes on at the newest line', async () => {
  await page.keyboard.press(' ');
  // Whoever pauses may scroll: from the next frame on there are spare rows above.
  await page.locator('.resume-bar').waitFor();
  await atRest(page);
  const before = await shownMessages(page);
  await post(Array.from({ length: 7 }, (_, index) => `while paused ${index}`));
  await page.locator('.resume-bar', { hasText: /\+\d+ new/ }).waitFor();
  await expect
    .poll(async () => Number(/\+(\d+)/.exec((await page.locator('.resume-bar').textContent())!)?.[1]))
    .toBeGreaterThanOrEqual(7);
  expect(await shownMessages(page)).toEqual(before);
  await page.keyboard.press(' ');
  await rowOf('while paused 6').waitFor();
  await expect.poll(() => page.locator('.resume-bar').count()).toBe(0);
});

it('acts by a button: busy, then the outcome, then the new state', async () => {
  await page.goto(`${stack.url}/#/instances`);
  const row = page.locator('.t-row', { hasText: 'test' });
  await row.waitFor();
  // The test driver pauses within milliseconds: only an observer is sure to see what was between.
  await page.evaluate(() => {
    const seen = { busy: 0 };
    Object.assign(window, { seen });
    new MutationObserver(() => {
      seen.busy += document.querySelectorAll('.t-row .busy').length;
    }).observe(document.querySelector('.t-space')!, { subtree: true, childList: true });
  });
  await row.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'pause', exact: true }).click();
  await page.locator('.toast-good', { hasText: /pause test.*done/ }).waitFor();
  await row.locator('.t-state', { hasText: 'paused' }).waitFor();
  expect(await page.evaluate(() => (window as unknown as { seen: { busy: number } }).seen.busy)).toBeGreaterThan(0);
  expect((await stack.get<Instance[]>('/api/v1/instances'))[0]!.state).toBe('paused');
});

it('comes back by itself when the manager is killed, and misses no line', async () => {
  await page.goto(`${stack.url}/#/live`);
  await page.locator('.row:not([hidden])').first().waitFor();
  brought.length = 0;
  await post(['the last before the end']);
  await rowOf('the last before the end').waitFor();
  const words = encodeURIComponent('"the last before the end"');
  const [before] = (await stack.get<{ lines: Line[] }>(`/api/v1/logs?limit=1&q=${words}`)).lines;
  await expect.poll(() => brought).toContain(before!.id);
  await stack.manager.end('SIGKILL');
  await stack.startManager();
  // Stored before the page is back: only a page that asks behind its last position has them.
  await post(Array.from({ length: 40 }, (_, index) => `after the restart ${index}`));
  await rowOf('after the restart 39').waitFor();
  await post(['the end']);
  await rowOf('the end').waitFor();
  const { lines } = await stack.get<{ lines: Line[] }>('/api/v1/logs?limit=500');
  const ids = lines.map(({ id }) => id);
  const newest = lines.find(({ message }) => message === 'the end')!;
  const first = lines.find(({ message }) => message === 'the last before the end')!;
  const between = ids.slice(ids.indexOf(newest.id), ids.indexOf(first.id) + 1);
  expect(between.length).toBeGreaterThanOrEqual(42);
  await expect.poll(() => between.filter((id) => !brought.includes(id))).toEqual([]);
  expect(brought.filter((id, index) => brought.indexOf(id) !== index)).toEqual([]);
  expect(await page.locator('.row-skipped:not([hidden]), .row-break:not([hidden])').count()).toBe(0);
});

it('finds an agent by a scan and shows the line that enrols it', async () => {
  await page.goto(`${stack.url}/#/hosts`);
  await page.locator('.host-row', { hasText: 'online' }).first().waitFor();
  await page.locator('[name="range"]').fill('127.0.0.1/32');
  await page.getByRole('button', { name: 'Scan' }).click();
  await page.getByRole('button', { name: 'Enrol' }).click();
  const dialog = page.locator('dialog[open]');
  const paste = dialog.locator('.paste code', { hasText: 'webvirt agent enrol https://' });
  const line = (await paste.textContent())!;
  const [sudo, program, ...words] = line.trim().split(/\s+/);
  expect([sudo, program, words[0], words[1]]).toEqual(['sudo', 'webvirt', 'agent', 'enrol']);
  const socket = join(stack.dir, 'stranger', 'agent.sock');
  await promisify(execFile)(process.execPath, [join(ROOT, 'dist/cli/main.js'), ...words, '--socket', socket]);
  await dialog.getByText('is enrolled').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('2 of 2 hosts online').waitFor();
  await page.locator('.inbox', { hasText: 'Nothing waits here' }).waitFor();
});

it('ends in every tab when one signs out', async () => {
  const other = await watchedPage(context);
  await other.page.goto(`${stack.url}/#/hosts`);
  await other.page.locator('.rail').waitFor();
  await other.page.getByRole('button', { name: 'Sign out' }).click();
  await other.page.locator('#password').waitFor();
  await page.locator('#password').waitFor();
  await page.getByText('Your session has ended').waitFor();
  expect([...console_.faults, ...other.faults]).toEqual([]);
});

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, type WatchedPage, watchedPage } from './browser.ts';

let program: ChildProcess;
let browser: Browser;
let watched: WatchedPage;

beforeAll(async () => {
  program = fork(join(import.meta.dirname, 'live-log', 'program.mjs'));
  const [{ port }] = (await once(program, 'message')) as [{ port: number }];
  say('info', 'before anybody looked');
  browser = await launchBrowser();
  watched = await watchedPage(await browser.newContext());
  await watched.page.goto(`http://127.0.0.1:${port}/`);
});
afterAll(async () => {
  await browser?.close();
  if (!program?.connected) return;
  const ended = once(program, 'exit');
  program.disconnect();
  await ended;
});

function say(level: string, message: string, fields: object = {}): void {
  program.send({ level, message, fields });
}
const shows = (text: string) =>
  watched.page.waitForFunction((wanted) => document.getElementById('log')!.textContent?.includes(wanted), text);
const shown = () => watched.page.locator('#log').textContent();

it('shows a browser the log of any program: old lines, live ones as text, and those of a filter', async () => {
  await shows('before anybody looked');
  say('info', '<img src=x onerror=alert(1)>', { user: 'ann' });
  await shows('<img src=x onerror=alert(1)>');
  expect(await watched.page.locator('#log img').count()).toBe(0);
  say('error', 'the disk is full', { user: 'bob' });
  await shows('the disk is full');
  await watched.page.fill('#q', 'level:error user:bob');
  await watched.page.locator('#q').blur();
  await watched.page.waitForFunction(() => !document.getElementById('log')!.textContent?.includes('before'));
  await shows('the disk is full');
  say('info', 'not an error', { user: 'bob' });
  say('error', 'another error', { user: 'bob' });
  await shows('another error');
  expect(await shown()).not.toContain('not an error');
  await watched.page.fill('#q', '/(/');
  await watched.page.locator('#q').blur();
  await watched.page.waitForFunction(() => document.getElementById('said')!.textContent !== '');
  expect(watched.faults).toEqual([]);
});

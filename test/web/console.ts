import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A page with what went wrong on it: script errors, dialogs, breaches of the content security policy. */
export interface WatchedPage {
  page: Page;
  faults: string[];
}

export interface ConsoleUnderTest {
  url: string;
  /** Calls a control address of the pretended manager. */
  mock(
    path: string,
    body?: unknown,
  ): Promise<{
    calls: { method: string; path: string; body: Record<string, unknown> }[];
    instances: { id: string; name: string }[];
  }>;
  open(place: string, options?: { width?: number; height?: number; theme?: 'dark' | 'light' }): Promise<WatchedPage>;
  /** Closes every page: one that stays open costs the next test its time. */
  closePages(): Promise<void>;
  stop(): Promise<void>;
}

/** Builds the console as it is now, serves it by the pretended manager with the real policy, and starts a browser. */
export async function startConsole(mockFlags: string[]): Promise<ConsoleUnderTest> {
  const dist = await mkdtemp(join(tmpdir(), 'webvirt-console-'));
  await build({ configFile: join(root, 'web/vite.config.ts'), logLevel: 'error', build: { outDir: dist } });
  const server = spawn(
    process.execPath,
    ['--import', 'tsx', join(root, 'web/dev/mock-server.ts'), '--port', '0', '--dist', dist, ...mockFlags],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const url = await readyUrl(server);
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const contexts: BrowserContext[] = [];

  async function mock(path: string, body: unknown = {}) {
    const response = await fetch(`${url}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) });
    return (await response.json()) as Awaited<ReturnType<ConsoleUnderTest['mock']>>;
  }

  return {
    url,
    mock,
    async open(place, { width = 1_280, height = 800, theme = 'dark' } = {}) {
      await mock('sign-in');
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
      contexts.push(context);
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(`error: ${error.stack ?? error.message}`));
      page.on('dialog', (dialog) => {
        faults.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('console', (message) => {
        if (/content security policy/i.test(message.text())) faults.push(`policy: ${message.text()}`);
      });
      await page.goto(`${url}/#${place}`);
      await page.locator('.rail').waitFor();
      return { page, faults };
    },
    async closePages() {
      for (const context of contexts.splice(0)) await context.close();
    },
    async stop() {
      await browser.close();
      server.kill('SIGTERM');
      await rm(dist, { recursive: true, force: true });
    },
  };
}

function readyUrl(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: server.stdout! }).once('line', (line) =>
      resolve((JSON.parse(line) as { url: string }).url),
    );
    server.once('exit', (code) => reject(new Error(`the pretended manager ended with ${code}`)));
  });
}

/** Texts of the messages on screen, top to bottom. */
export async function shownMessages(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.row:not([hidden])')]
      .map((row) => ({
        top: row.getBoundingClientRect().top,
        text: row.querySelector('.c-message')?.textContent ?? '',
      }))
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text),
  );
}

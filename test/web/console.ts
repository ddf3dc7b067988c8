import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { build } from 'vite';
import { launchBrowser, type WatchedPage, watchedPage } from './browser.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
export interface OpenOptions {
  width?: number;
  height?: number;
  theme?: 'dark' | 'light';
  /** Before the first page: routes, permissions. */
  prepare?: (context: BrowserContext) => Promise<unknown>;
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
  open(place: string, options?: OpenOptions): Promise<WatchedPage>;
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
  const browser = await launchBrowser();
  const contexts: BrowserContext[] = [];

  async function mock(path: string, body: unknown = {}) {
    const response = await fetch(`${url}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) });
    return (await response.json()) as Awaited<ReturnType<ConsoleUnderTest['mock']>>;
  }

  return {
    url,
    mock,
    async open(place, { width = 1_280, height = 800, theme = 'dark', prepare } = {}) {
      await mock('sign-in');
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
      contexts.push(context);
      await prepare?.(context);
      const { page, faults } = await watchedPage(context);
      await page.goto(`${url}/#${place}`);
      await page.locator('.rail').waitFor();
      return { page, faults };
    },
    async closePages() {
      for (const context of contexts.splice(0)) await context.close();
    },
    async stop() {
      await browser.close();
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
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

import { gzipSync } from 'node:zlib';
import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type ConsoleUnderTest, startConsole } from './console.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

/** Bytes of script and style that a browser fetches before the page is there, packed. */
async function firstLoadBytes(): Promise<number> {
  const page = await (await fetch(subject.url)).text();
  const names = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => name!);
  const sizes = names.map(async (name) => {
    const bytes = Buffer.from(await (await fetch(subject.url + name)).arrayBuffer());
    return gzipSync(bytes, { level: 9 }).byteLength;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

const go = (page: Page, place: string) =>
  page.evaluate((wanted) => {
    location.hash = wanted;
  }, place);

it('loads little before the live page is there', async () => {
  expect(await firstLoadBytes()).toBeLessThan(135_000);
});

it('keeps the page while the part that holds the next one is on its way, and says when it does not come', async () => {
  const held: Route[] = [];
  const { page, faults } = await subject.open('/live', {
    prepare: async (context) => {
      await context.route(/machine-pages-.*\.js/, (route) => void held.push(route));
      await context.route(/compute-pages-.*\.js/, (route) => route.abort());
    },
  });
  await page.locator('.row').first().waitFor();
  await go(page, '/instances');
  await page.locator('.rail [aria-current="page"]', { hasText: 'Instances' }).waitFor();
  await expect.poll(() => held.length).toBeGreaterThan(0);
  expect(await page.locator('.page-live .row').first().isVisible()).toBe(true);
  // The browser may ask ahead and then for good: what it asks for from now on is answered too.
  await page.context().unroute(/machine-pages-.*\.js/);
  for (const route of held) await route.continue();
  await page.locator('.page-instances').waitFor();
  await expect.poll(() => page.title()).toBe('Instances · WebVirt');
  await go(page, '/compute');
  await page.getByText('This page could not be loaded').waitFor();
  await go(page, '/live');
  await page.locator('.page-live .row').first().waitFor();
  expect(faults).toEqual([]);
});

it('opens a link to a page that is loaded late, and comes back to the live page', async () => {
  const { page, faults } = await subject.open('/ledger');
  await page.locator('h1', { hasText: 'Ledger of lines' }).waitFor();
  await expect.poll(() => page.title()).toBe('Ledger · WebVirt');
  await page.keyboard.press('g');
  await page.keyboard.press('l');
  await page.locator('.row').first().waitFor();
  expect(faults).toEqual([]);
});

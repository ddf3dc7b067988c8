import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleUnderTest, startConsole } from './console.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

const fresh = (word: string) => `${word}${Math.random().toString(36).slice(2)}`;
const outside = { source: 'external', agent: 'external', host: '', hostName: '' };
const hash = (page: Page) => decodeURIComponent(new URL(page.url()).hash).replaceAll('+', ' ');

describe('rows that are about the stream', () => {
  it('say what a source left out, why, and lead to the ledger of its agent', async () => {
    const word = fresh('agent');
    const { page, faults } = await subject.open('/live');
    await page.locator('.row').first().waitFor();
    const fields = { reason: 'rate', dropped: 37, linesPerSecond: 500 };
    await subject.mock('lines', {
      lines: [{ source: 'journal', level: 'warn', hostName: 'fir', agent: word, unit: 'ssh', message: 'x', fields }],
    });
    const row = page.locator('.row-gap:not([hidden])', { hasText: '37 lines' });
    const said = row.locator('.c-message');
    await expect.poll(() => said.textContent()).toBe('37 lines of fir ssh were left out: over 500 a second');
    await row.locator('.c-link').click();
    await page.locator('h1', { hasText: 'Ledger of lines' }).waitFor();
    await expect.poll(() => hash(page)).toBe(`#/ledger?agent=${word}`);
    expect(faults).toEqual([]);
  });

  it('say where an instance goes on, with the same link by keys in the open line', async () => {
    const word = fresh('m');
    const fields = { marker: 'moved', host: 'birch' };
    const line = { source: 'console', instance: word, hostName: 'birch', message: word, fields };
    await subject.mock('lines', { lines: [line, { ...line, ...outside, instance: undefined }] });
    const { page } = await subject.open(`/live?q=${word}`);
    const turn = page.locator('.row-turn:not([hidden])');
    await turn.waitFor();
    await page.locator('.row:not([hidden])').nth(1).waitFor();
    await expect
      .poll(() => turn.locator('.c-message').allTextContents())
      .toEqual([`${word.slice(0, 8)} is now on host birch`]);
    await page.keyboard.press('k');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    const link = page.locator(`.stream-detail a[href="#/instances/${word}"]`, { hasText: /^\s*Instance$/ });
    await expect.poll(() => link.count()).toBe(1);
  });
});

it('names lines from outside by their way in, and filters by it', async () => {
  const word = fresh('o');
  const way = (via: string) => ({ ...outside, message: word, fields: { via } });
  await subject.mock('lines', {
    lines: [way('syslog-tcp'), way('syslog-tcp'), way('otlp'), { ...outside, message: word }],
  });
  const { page } = await subject.open(`/live?q=${word}`);
  const facet = page.locator('.facet', { hasText: 'outside' });
  const value = facet.locator('.facet-value', { hasText: 'outside: syslog, TCP' });
  await value.waitFor();
  await expect
    .poll(() => facet.locator('.facet-text').allTextContents())
    .toEqual(['outside: syslog, TCP', 'outside: OTLP', 'outside']);
  await expect
    .poll(() => page.locator('.row:not([hidden]) .c-host').allTextContents())
    .toEqual(expect.arrayContaining(['syslog, TCP', 'OTLP', 'outside']));
  await value.click();
  await expect.poll(() => hash(page)).toContain(`q=${word} via:syslog-tcp`);
  await expect.poll(() => page.locator('.row:not([hidden])').count()).toBe(2);
});

it('exports what the filter finds: counted before, whole, in the form that was chosen', async () => {
  const word = fresh('x');
  await subject.mock('lines', { lines: Array.from({ length: 5 }, () => ({ message: word })) });
  const { page, faults } = await subject.open(`/live?q=${word}`);
  await page.locator('.row').first().waitFor();
  await page.keyboard.press('e');
  await page.locator('.export-count', { hasText: '5 lines' }).waitFor();
  await page.getByRole('radio', { name: 'Everything' }).click();
  await page.locator('.export-count', { hasText: '5 lines of all that is stored' }).waitFor();
  await page.getByRole('radio', { name: /NDJSON/ }).check();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  expect(new URL(file.url()).search).toBe(`?q=${word}&format=ndjson`);
  expect((await readFile(await file.path(), 'utf8')).trimEnd().split('\n')).toHaveLength(5);
  expect(faults).toEqual([]);
});

it('keeps the lines of a time, shows what is kept, and lets it go', async () => {
  const { page, faults } = await subject.open('/live?from=2026-01-02T03:00:00.000Z&to=2026-01-02T04:00:00.000Z');
  await page.getByRole('button', { name: 'Keep' }).click();
  const dialog = page.locator('dialog');
  await dialog.getByText('Nothing is kept beyond its age yet').waitFor();
  await dialog.locator('[name="note"]:focus').waitFor();
  await page.keyboard.type('the outage');
  await page.keyboard.press('Enter');
  await dialog.locator('.search-list b', { hasText: 'the outage' }).waitFor();
  const { calls } = await subject.mock('calls');
  const { body } = calls.findLast(({ path }) => path === '/api/v1/logs/keeps')!;
  expect([body['fromMs'], body['note']]).toEqual([Date.UTC(2026, 0, 2, 3), 'the outage']);
  await dialog.getByRole('button', { name: 'Let go the outage' }).click();
  await dialog.getByText('Nothing is kept beyond its age yet').waitFor();
  expect(faults).toEqual([]);
});

it('gives messages the room: the fleet goes by a key and stays away, columns give way beside a second stream', async () => {
  const { page } = await subject.open('/live');
  await page.locator('.row').first().waitFor();
  const fleet = page.locator('.fleet');
  await fleet.waitFor();
  await page.keyboard.press('F');
  await fleet.waitFor({ state: 'hidden' });
  await page.reload();
  await page.locator('.row').first().waitFor();
  expect(await fleet.isVisible()).toBe(false);
  await expect.poll(() => page.locator('.stream-columns .c-instance').count()).toBe(1);
  await page.keyboard.press('|');
  await page.locator('.split-second .row').first().waitFor();
  await expect.poll(() => page.locator('.stream-columns .c-instance').count()).toBe(0);
  await expect.poll(() => page.locator('.facets').count()).toBe(0);
  const narrowest = () =>
    page
      .locator('.stream-columns .c-message')
      .evaluateAll((all) => Math.min(...all.map((one) => one.getBoundingClientRect().width)));
  await expect.poll(narrowest).toBeGreaterThan(240);
});

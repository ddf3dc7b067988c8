import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atRest, shownMessages, turnWheel } from './browser.ts';
import { type ConsoleUnderTest, startConsole } from './console.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

const fresh = (word: string) => `${word}${Math.random().toString(36).slice(2)}`;
const put = (lines: object[]) => subject.mock('lines', { lines });
const rows = (page: Page) => page.locator('.row:not([hidden])');
const hash = (page: Page) => decodeURIComponent(new URL(page.url()).hash);

describe('a search in the past', () => {
  it('shows what it finds as it is found, how far it looked, and ends when it is told to', async () => {
    const word = fresh('old');
    await put([{ message: `${word} 1` }, { message: `${word} 2` }]);
    await subject.mock('flood', { batches: 12, size: 500 });
    await subject.mock('search-ms', { ms: 100_000 });
    const { page } = await subject.open(`/live?q=${word}&to=${encodeURIComponent('2100-01-01T00:00:00Z')}`);
    const foot = page.locator('.foot-note');
    await foot.getByText('Searching back to').waitFor();
    await page.locator('.stream-scroll').focus();
    await page.keyboard.press('Escape');
    await foot.getByText('Cancelled; searched back to').waitFor();
    await subject.mock('search-ms', { ms: 1 });
    await foot.getByRole('button', { name: 'Search further' }).click();
    await foot.getByText('Searched everything there is').waitFor();
    await expect.poll(() => foot.locator('b').textContent()).toBe('2 lines found');
    await expect.poll(() => shownMessages(page)).toEqual([`${word} 1`, `${word} 2`]);
  });

  it('jumps to a time, whose address is a link to it', async () => {
    const { page } = await subject.open('/live');
    await rows(page).first().waitFor();
    await page.keyboard.press('J');
    await page.locator('.jump-dialog input').fill('2020-02-03T04:05:06');
    await page.keyboard.press('Enter');
    await page.waitForURL(/at=2020-02-03T/);
    await page.getByRole('heading', { name: 'No line matches' }).waitFor();
  });

  it('keeps a search, shares it, offers it in the palette, removes it', async () => {
    const { page } = await subject.open('/live?q=tainted&level=warn');
    await rows(page).first().waitFor();
    await page.keyboard.press('s');
    const name = fresh('kept');
    await page.getByLabel('Name of the search').fill(name);
    await page.keyboard.press('Enter');
    const entry = page.locator('.search-list li', { hasText: name });
    await entry.getByRole('button', { name: 'Private' }).click();
    await entry.getByRole('button', { name: 'Shared' }).waitFor();
    await page.keyboard.press('Escape');
    await page.goto(`${subject.url}/#/hosts`);
    await page.keyboard.press('Control+k');
    await page.locator('.palette-input:focus').waitFor();
    await page.keyboard.type(name);
    await page.locator('.palette-list li[aria-selected="true"]', { hasText: name }).waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => hash(page)).toMatch(/^#\/live\?q=tainted&level=warn&cols=time,level,/);
    await rows(page).first().waitFor();
    await page.keyboard.press('s');
    await entry.getByRole('button', { name: `Remove ${name}` }).click();
    await expect.poll(() => entry.count()).toBe(0);
  });
});

describe('facets', () => {
  it('count values, add and exclude them, and stay closed where they were closed', async () => {
    const word = fresh('facet');
    const one = (unit: string) => ({ message: word, source: 'journal', unit, level: 'info' });
    await put([one('a.service'), one('a.service'), one('b.service')]);
    const { page } = await subject.open(`/live?q=${word}`);
    const facet = page.locator('.facet', { has: page.getByText('unit', { exact: true }) });
    await facet.locator('li', { hasText: 'a.service' }).getByText('2', { exact: true }).waitFor();
    await facet.locator('li', { hasText: 'a.service' }).getByLabel('Hide lines with').click();
    await expect.poll(() => hash(page)).toContain(`-unit:a.service`);
    await expect.poll(() => rows(page).count()).toBe(1);
    await facet.getByRole('button', { name: 'unit', exact: true }).click();
    await page.keyboard.press('f');
    await expect.poll(() => page.locator('.facets').count()).toBe(0);
    await page.reload();
    await rows(page).first().waitFor();
    expect(await page.locator('.facets').count()).toBe(0);
    await page.keyboard.press('f');
    await facet.getByRole('button', { name: 'unit', exact: true, expanded: false }).waitFor();
  });

  it('are a sheet on a small screen', async () => {
    const { page } = await subject.open('/live', { width: 360, height: 740 });
    await rows(page).first().waitFor();
    expect(await page.locator('.facets').count()).toBe(0);
    await page.getByRole('button', { name: 'Facets (f)' }).click();
    const place = async () => {
      const box = await page.locator('.facets').boundingBox();
      return box && [box.x, box.width, Math.round(box.y + box.height)];
    };
    await expect.poll(place).toEqual([0, 360, 740]);
    await page.getByRole('button', { name: 'Hide the facets' }).click();
    await expect.poll(() => page.locator('.facets').count()).toBe(0);
  });
});

describe('the look of a stream', () => {
  it('folds repeated lines, counts on, shows each when asked, and folds them again', async () => {
    const word = fresh('again');
    const same = { message: word, level: 'warn', source: 'journal', host: 'h', unit: 'u', instance: 'i' };
    const { page } = await subject.open(`/live?q=${word}`);
    await page.locator('.stream-empty:not([hidden])').waitFor();
    await page.keyboard.press('u');
    await put([same, same, same]);
    const count = page.locator('.c-count:not([hidden])');
    await expect.poll(() => count.allTextContents()).toEqual(['3×']);
    await put([same, same]);
    await expect.poll(() => count.allTextContents()).toEqual(['5×']);
    await expect.poll(() => rows(page).count()).toBe(1);
    await page.keyboard.press('k');
    await page.keyboard.press('+');
    await expect.poll(() => rows(page).count()).toBe(5);
    await count.last().click();
    await expect.poll(() => rows(page).count()).toBe(1);
    await page.keyboard.press('u');
    await expect.poll(() => rows(page).count()).toBe(5);
  });

  it('adds a field as a column, keeps it, moves it, and sends it with a link', async () => {
    const word = fresh('col');
    await put([{ message: word, fields: { rtt: { ms: 42.5 } } }]);
    const { page } = await subject.open(`/live?q=${word}`);
    await page.getByText(word, { exact: true }).waitFor();
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.getByLabel('Column for rtt.ms').click();
    await page.locator('.row .c-extra', { hasText: '42.5' }).waitFor();
    await page.reload();
    await page.locator('.row .c-extra', { hasText: '42.5' }).waitFor();
    await page.keyboard.press('v');
    await page.getByLabel('Further left: rtt.ms').click();
    const names = async () => (await page.locator('.column-list li > span:first-child').allTextContents()).join(' ');
    await expect.poll(names).toBe('time level host source rtt.ms instance message');
    const { page: other } = await subject.open(`/live?q=${word}&cols=time,rtt.ms&view=wrap,utc`);
    await other.locator('.is-wrapped .row .c-extra', { hasText: '42.5' }).waitFor();
    await expect.poll(() => other.locator('.row:not([hidden]) .c-time').textContent()).toMatch(/Z$/);
    await expect.poll(() => other.locator('.row:not([hidden]) .c-host').count()).toBe(0);
  });

  it('gives wrapped rows the height they need, without one over another', async () => {
    const word = fresh('wrap');
    const { page } = await subject.open(`/live?q=${word}&view=wrap`);
    await page.locator('.stream-empty:not([hidden])').waitFor();
    await put(Array.from({ length: 60 }, (_, i) => ({ message: `${word} ${'long '.repeat((i * 37) % 120)}${i}` })));
    await page.getByText(/ 59$/).waitFor();
    const boxes = async () =>
      (
        await rows(page).evaluateAll((all) =>
          all.map((row) => row.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom]),
        )
      ).sort((a, b) => a[0]! - b[0]!);
    await atRest(page);
    for (const px of [0, -300, -700, 200]) {
      if (px !== 0) await turnWheel(page, px);
      const list = await boxes();
      for (const [index, [top]] of list.entries())
        if (index > 0) expect(Math.abs(top! - list[index - 1]![1]!)).toBeLessThan(2);
    }
  });
});

describe('two streams', () => {
  it('stand side by side on one time axis, pause together, and share a cursor', async () => {
    const word = fresh('two');
    const line = (side: string, i: number) => ({
      message: `${word} ${side} ${i}`,
      tsMs: 1_700_000_000_000 + i * 1_000 + (side === 'west' ? 500 : 0),
    });
    await put(Array.from({ length: 200 }, (_, i) => [line('east', i), line('west', i)]).flat());
    const { page } = await subject.open(`/live?q=${word}+east&beside=${encodeURIComponent(`q=${word}+west`)}`);
    const [first, second] = [page.locator('.live-streams > .lines-panel'), page.locator('.split-second')];
    await second.getByText(`${word} west 199`, { exact: true }).waitFor();
    await first.getByText(`${word} east 199`, { exact: true }).waitFor();
    await turnWheel(page, -1_500);
    await expect.poll(() => page.locator('.resume-bar').count()).toBe(2);
    const topOf = (panel: typeof first) =>
      panel.locator('.row:not([hidden])').evaluateAll((all) => {
        const edge = all[0]!.closest('.stream-scroll')!.getBoundingClientRect().top;
        const shown = all.filter((row) => row.getBoundingClientRect().bottom > edge + 2);
        shown.sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top);
        return Number(shown[0]!.querySelector('.c-message')!.textContent!.split(' ').at(-1));
      });
    await expect.poll(async () => Math.abs((await topOf(first)) - (await topOf(second)))).toBeLessThanOrEqual(1);
    await expect.poll(() => topOf(first)).toBeLessThan(150);
    await first
      .locator('.row:not([hidden])', { hasText: `east ${(await topOf(first)) + 5}` })
      .first()
      .hover();
    await expect.poll(() => second.locator('.row.is-cursor').count()).toBe(1);
    await page.getByRole('button', { name: 'Close the second stream' }).click();
    await expect.poll(() => second.count()).toBe(0);
  });
});

describe('the pause', () => {
  it('goes on where the pause began, with nothing moved, until the end is reached', async () => {
    const word = fresh('pause');
    const { page } = await subject.open(`/live?q=${word}`);
    await page.locator('.stream-empty:not([hidden])').waitFor();
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => ({ message: `${word} ${from + i}` }));
    await put(lines(0, 100));
    await page.getByText(`${word} 99`, { exact: true }).waitFor();
    await page.keyboard.press(' ');
    await put(lines(100, 200));
    await page.locator('.resume-bar strong', { hasText: '+100 new' }).waitFor();
    await atRest(page);
    expect((await shownMessages(page)).at(-1)).toBe(`${word} 99`);
    await page.keyboard.press('r');
    await page.getByText(`${word} 100`, { exact: true }).waitFor();
    await atRest(page);
    expect(await page.getByText(`${word} 99`, { exact: true }).isVisible()).toBe(true);
    expect(await page.locator('.is-paused-at .c-message').textContent()).toBe(`${word} 99`);
    await page.keyboard.press(' ');
    await page.getByText(`${word} 199`, { exact: true }).waitFor();
  });

  it('follows on while what stands below the stream comes and goes', async () => {
    const word = fresh('foot');
    await put(Array.from({ length: 50 }, (_, i) => ({ message: `${word} ${i}` })));
    await subject.mock('search-ms', { ms: 40 });
    const { page } = await subject.open(`/live?q=${word}`, { height: 500 });
    await page.getByText(`${word} 49`, { exact: true }).waitFor();
    await expect.poll(() => page.locator('.foot-note').count()).toBe(0);
    await put([{ message: `${word} 50` }]);
    await page.getByText(`${word} 50`, { exact: true }).waitFor();
    await atRest(page);
    expect(await page.locator('.resume-bar').count()).toBe(0);
  });
});

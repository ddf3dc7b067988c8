import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MARKUP_TEXTS, TERMINAL_TEXTS } from '../support/hostile-texts.ts';
import type { WatchedPage } from './browser.ts';
import { type ConsoleUnderTest, startConsole } from './console.ts';
import { PAYLOADS, RAW } from './payloads.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still', '--instances', String(PAYLOADS.length)]);
  for (const [index, text] of PAYLOADS.entries()) {
    await subject.mock('instance', {
      index,
      set: {
        name: text,
        title: text,
        hostName: text,
        stateReason: text,
        disks: [{ target: text, source: text, device: 'disk' }],
      },
    });
    await subject.mock('job', {
      set: {
        id: `job-${index}-x`,
        verb: 'start',
        instanceName: text,
        hostName: text,
        actor: text,
        state: 'failed',
        error: { code: 'internal', message: text },
        createdMs: Date.now() + index,
      },
    });
  }
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

/** Nothing that only markup could have made stands in the page, and no acting character is shown as it is. */
async function expectTextOnly({ page, faults }: WatchedPage): Promise<void> {
  const found = await page.evaluate(() => ({
    foreign: [
      ...document.querySelectorAll(
        '#app script, #app img, iframe, object, embed, base, video, math, #app style, #app link, details, [onclick], [onerror], [onload], x',
      ),
    ].map((el) => el.outerHTML),
    links: [...document.querySelectorAll('a[href]')]
      .map((a) => a.getAttribute('href')!)
      .filter((href) => !href.startsWith('#/') && !href.startsWith('/api/v1/logs/export?')),
    // biome-ignore lint/performance/useDomNodeTextContent: what is on the screen is the question, not what is in the tree.
    text: document.body.innerText,
  }));
  expect(found.foreign).toEqual([]);
  expect(found.links).toEqual([]);
  expect(RAW.exec(found.text)?.index ?? null).toBeNull();
  expect(faults).toEqual([]);
}

describe('hostile text', () => {
  it('in lines, their hosts, units and fields stays text', async () => {
    const watched = await subject.open('/live', { height: 1_900 });
    await watched.page.locator('.row').first().waitFor();
    await subject.mock('lines', {
      lines: PAYLOADS.map((text) => ({
        message: `begin ${text} end`,
        hostName: text,
        unit: text,
        fields: { [text]: text, deep: { [text]: [text] } },
      })),
    });
    await watched.page.locator('.row:not([hidden])', { hasText: 'begin' }).first().waitFor();
    // As many of them as stand in the window: what is not drawn proves nothing.
    const drawn = watched.page.locator('.row:not([hidden])', { hasText: 'begin' });
    await expect.poll(() => drawn.count()).toBeGreaterThan(40);
    await expectTextOnly(watched);
    await watched.page.keyboard.press('k');
    await watched.page.keyboard.press('Enter');
    for (let i = 0; i < PAYLOADS.length; i += 1) {
      await watched.page.locator('.stream-detail pre', { hasText: 'begin' }).waitFor();
      await expectTextOnly(watched);
      await watched.page.keyboard.press('k');
    }
  });

  it('of the whole list stays text in the stream (S7, S8)', async () => {
    const watched = await subject.open('/live', { height: 1_900 });
    await watched.page.locator('.row').first().waitFor();
    const all = [...MARKUP_TEXTS, ...TERMINAL_TEXTS];
    // As many at a time as stand in the window: what is not drawn proves nothing.
    for (let first = 0; first < all.length; first += 50) {
      const texts = all.slice(first, first + 50);
      await subject.mock('lines', { lines: texts.map((text, i) => ({ message: `${text} at ${first + i}!` })) });
      await watched.page
        .getByText(`at ${first + texts.length - 1}!`)
        .first()
        .waitFor();
      await expectTextOnly(watched);
    }
  });

  it('shows what is hidden instead of obeying it', async () => {
    const watched = await subject.open('/live');
    await watched.page.locator('.row').first().waitFor();
    await subject.mock('lines', { lines: [{ message: 'a\u001b[2Jb\u202ec\u200bd' }] });
    await watched.page.getByText('a\u241b[2Jb\\u202ec\\u200bd', { exact: true }).waitFor();
    // Colours are the one thing that is obeyed: as classes of pieces of text.
    await subject.mock('lines', { lines: [{ message: 'e\u001b[1;31mf\u202e\u001b[8mg\u001b[0mh' }] });
    await watched.page.getByText('ef\\u202egh', { exact: true }).waitFor();
    const coloured = watched.page.locator('.row:not([hidden])', { hasText: 'ef\\u202egh' });
    await expect.poll(() => coloured.locator('.ansi-bold.ansi-f1').count()).toBe(2);
    await expectTextOnly(watched);
  });

  it('in names of instances and hosts stays text on every page', async () => {
    for (const place of ['/instances', '/live', '/hosts', '/jobs']) {
      const watched = await subject.open(place, { height: 2_600 });
      await watched.page.locator('.t-row, .row, .host-row, .job').first().waitFor();
      await expectTextOnly(watched);
    }
    const { instances } = await subject.mock('calls');
    const watched = await subject.open(`/instances/${instances[1]!.id}`);
    await watched.page.locator('.fact-row').waitFor();
    await expectTextOnly(watched);
    await watched.page.keyboard.press('Control+k');
    await watched.page.locator('.palette-input:focus').waitFor();
    await watched.page.keyboard.type('script');
    await watched.page.locator('.palette-list li').first().waitFor();
    await expectTextOnly(watched);
  });

  it('in messages about jobs stays text', async () => {
    const watched = await subject.open('/instances');
    await watched.page.locator('.t-row').first().waitFor();
    // The rows may be there before the push is: a job is seen running first.
    await subject.mock('job', { set: { id: 'job-before', state: 'running', endedMs: null, createdMs: Date.now() } });
    await watched.page.locator('.rail .count.is-busy').waitFor();
    for (const [index, text] of PAYLOADS.entries()) {
      await subject.mock('job', {
        set: {
          id: `late-${index}-x`,
          instanceName: text,
          actor: text,
          state: 'failed',
          error: { code: text, message: text },
          createdMs: Date.now(),
        },
      });
    }
    await watched.page.locator('.toast-bad').first().waitFor();
    await expectTextOnly(watched);
  });

  it('in addresses and filters stays text', async () => {
    for (const text of PAYLOADS.slice(0, 8)) {
      const watched = await subject.open(
        `/live?q=${encodeURIComponent(`${text} level:`)}&host=${encodeURIComponent(text)}&job=${encodeURIComponent(text)}`,
      );
      await watched.page.locator('.filter-bar').waitFor();
      await expectTextOnly(watched);
      await watched.page.goto(`${subject.url}/#/${encodeURIComponent(text)}/x/y`);
      await watched.page.getByText('There is no page').waitFor();
      await expectTextOnly(watched);
      await subject.closePages();
    }
  });
});

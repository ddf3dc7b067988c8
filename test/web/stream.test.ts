import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atRest, shownMessages, turnWheel } from './browser.ts';
import { type ConsoleUnderTest, startConsole } from './console.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

const needles = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ message: `needle ${from + i}`, level: 'info', source: 'qemu' }));
const names = (from: number, to: number) => needles(from, to).map(({ message }) => message);
const fresh = (word: string) => `${word}${Math.random().toString(36).slice(2)}`;

describe('the live stream', () => {
  it('shows the backlog and then every line at its end', async () => {
    const { page, faults } = await subject.open('/live');
    await page.locator('.row').first().waitFor();
    const last = fresh('last');
    await subject.mock('lines', { lines: [{ message: last }] });
    await page.getByText(last).waitFor();
    await expect.poll(async () => (await shownMessages(page)).at(-1)).toBe(last);
    expect(faults).toEqual([]);
  });

  it('pauses with space, counts what is new, and jumps to now', async () => {
    const { page } = await subject.open('/live');
    await page.locator('.row').first().waitFor();
    await page.keyboard.press(' ');
    await page.locator('.resume-bar').waitFor();
    // Whoever pauses may scroll: from the next frame on there are spare rows above.
    await atRest(page);
    const before = await shownMessages(page);
    await subject.mock('lines', { lines: needles(0, 7) });
    await page.locator('.resume-bar strong', { hasText: '+7 new' }).waitFor();
    await atRest(page);
    expect(await shownMessages(page)).toEqual(before);
    await page.locator('.resume-now').click();
    await page.getByText('needle 6', { exact: true }).waitFor();
    await expect.poll(async () => (await shownMessages(page)).slice(-7)).toEqual(names(0, 7));
    await expect.poll(() => page.locator('.resume-bar').count()).toBe(0);
  });

  it('pauses when the reader scrolls up and keeps what is read in its place', async () => {
    const { page } = await subject.open('/live');
    await page.locator('.row').first().waitFor();
    await turnWheel(page, -700);
    await page.locator('.resume-bar').waitFor();
    await atRest(page);
    const before = await shownMessages(page);
    await subject.mock('flood', { batches: 20, size: 50 });
    await page.locator('.resume-bar strong', { hasText: '+1' }).waitFor();
    await atRest(page);
    expect(await shownMessages(page)).toEqual(before);
    await page.keyboard.press('End');
    await expect.poll(() => page.locator('.resume-bar').count()).toBe(0);
  });

  it('keeps few elements however many lines came', async () => {
    const { page } = await subject.open('/live');
    await subject.mock('flood', { batches: 60, size: 500 });
    const last = fresh('end');
    await subject.mock('lines', { lines: [{ message: last }] });
    await page.getByText(last).waitFor();
    expect(await page.locator('.row').count()).toBeLessThan(80);
  });

  it('goes on behind a lost connection without a hole and without a double', async () => {
    const word = fresh('w');
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => ({ message: `${word} ${from + i}` }));
    const { page } = await subject.open(`/live?q=${word}`);
    await page.locator('.stream-empty:not([hidden])').waitFor();
    await subject.mock('lines', { lines: lines(0, 5) });
    await page.getByText(`${word} 4`, { exact: true }).waitFor();
    await subject.mock('drop');
    await subject.mock('lines', { lines: lines(5, 12) });
    await page.getByText(`${word} 11`, { exact: true }).waitFor();
    await subject.mock('lines', { lines: lines(12, 15) });
    await page.getByText(`${word} 14`, { exact: true }).waitFor();
    await atRest(page);
    expect(await shownMessages(page)).toEqual(lines(0, 15).map(({ message }) => message));
  });

  it('draws gaps and skipped lines as rows, and loads what was skipped', async () => {
    const { page } = await subject.open('/live');
    await page.locator('.row').first().waitFor();
    await subject.mock('lines', {
      lines: [
        {
          source: 'agent',
          hostName: 'fir',
          message: 'x',
          fields: { gap: { from: 3, to: 9, reason: 'spool cap reached', bytes: 2048 } },
        },
      ],
    });
    const gap = page.locator('.row-gap:not([hidden]) .c-message', { hasText: 'of fir' });
    await expect
      .poll(() => gap.allTextContents())
      .toEqual(['7 lines of fir were lost (numbers 3 to 9): spool cap reached, 2 KiB']);
    await subject.mock('skip', { count: 40 });
    const marker = page.locator('.row-skipped:not([hidden])');
    await marker.waitFor();
    expect(await marker.textContent()).toContain('40 lines skipped');
    await marker.click();
    await expect.poll(() => page.locator('.row-skipped:not([hidden])').count()).toBe(0);
  });

  it('says what is wrong with a filter and where', async () => {
    const { page } = await subject.open('/live');
    await page.keyboard.press('/');
    await page.keyboard.type('disk level:loud');
    // A slow machine asks for what is half typed, too.
    await expect.poll(() => decodeURIComponent(new URL(page.url()).hash)).toContain('q=disk+level:loud');
    await page.locator('.stream-error').waitFor();
    await expect.poll(() => page.locator('.stream-error .fault mark').textContent()).toBe('l');
    await expect.poll(() => page.locator('.filter-bar input').getAttribute('aria-invalid')).toBe('true');
  });

  it('moves with j and k, opens with Enter, filters by a click on a field', async () => {
    const word = fresh('f');
    await subject.mock('lines', {
      lines: [{ message: `${word} one`, fields: { pid: 4711 } }, { message: `${word} two` }],
    });
    const { page } = await subject.open(`/live?q=${word}`);
    await page.getByText(`${word} two`, { exact: true }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    const detail = page.locator('.stream-detail');
    await detail.getByText('4711').waitFor();
    await page.keyboard.press('j');
    await detail.locator('pre', { hasText: 'two' }).waitFor();
    await page.keyboard.press('k');
    await detail.locator('li', { hasText: 'pid' }).getByLabel('Show only lines with this pid').click();
    await page.waitForURL(/pid%3A4711/);
    await expect.poll(() => shownMessages(page)).toEqual([`${word} one`]);
  });

  it('chooses a range by dragging over the bars, and goes back to live', async () => {
    const { page } = await subject.open('/live');
    await page.locator('.row').first().waitFor();
    const box = (await page.locator('.histogram canvas').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=.*to=/);
    await page.locator('.chip').waitFor();
    await page.locator('.row').first().waitFor();
    await page.getByRole('button', { name: 'Live', exact: true }).click();
    await expect.poll(() => page.url()).not.toContain('from=');
  });

  it('opens a link to one line with those around it', async () => {
    const word = fresh('p');
    await subject.mock('lines', { lines: [{ message: 'before' }, { message: word }, { message: 'after' }] });
    const answer = (await (await fetch(`${subject.url}/api/v1/logs?q=${word}`)).json()) as {
      data: { lines: { id: string }[] };
    };
    const { page } = await subject.open(`/lines/${encodeURIComponent(answer.data.lines[0]!.id)}`);
    await page.locator('.stream-detail pre', { hasText: word }).waitFor();
    const around = async () => {
      const shown = await shownMessages(page);
      return shown.slice(Math.max(0, shown.indexOf(word) - 1), shown.indexOf(word) + 2);
    };
    await expect.poll(around).toEqual(['before', word, 'after']);
  });
});

describe('keys and help', () => {
  it('goes to pages, opens help and the palette', async () => {
    const { page } = await subject.open('/live');
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.waitForURL(/#\/instances$/);
    await page.locator('.page-instances').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keys and filters' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog[open]').count()).toBe(0);
    await page.keyboard.press('Control+k');
    await page.locator('.palette-input:focus').waitFor();
    await page.keyboard.type('hosts');
    await page.locator('.palette-list li[aria-selected="true"]', { hasText: 'Hosts' }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/hosts$/);
    // The address changes first: keys are for the page once it is there and the palette is gone.
    await page.getByRole('heading', { name: 'Hosts', exact: true }).waitFor();
    await expect.poll(() => page.locator('dialog[open]').count()).toBe(0);
    await page.keyboard.press('g');
    await page.keyboard.press('j');
    await page.locator('.drawer').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.drawer').count()).toBe(0);
  });
});

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type ConsoleUnderTest, startConsole } from './console.ts';

// The console by keys alone: where the focus is, where it goes, and that nothing that is being typed is lost.

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still', '--hosts', '40']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

it('chooses by arrows in a group of buttons, in dialogs too', async () => {
  const { page, faults } = await subject.open('/live');
  const levels = page.getByRole('radiogroup', { name: 'Least severe level' });
  await levels.getByRole('radio', { name: 'All' }).focus();
  await page.keyboard.press('ArrowLeft');
  await page.waitForURL(/level=info$/);
  await levels.locator('[aria-checked="true"]:focus', { hasText: 'Info' }).waitFor();
  // The first is behind the last: from there the arrow goes around.
  for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowRight');
  await page.waitForURL(/level=warn$/);
  await page.keyboard.press('v');
  await page.locator('dialog [aria-checked="true"]:focus', { hasText: 'Normal' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.locator('dialog [aria-checked="true"]:focus', { hasText: 'Roomy' }).waitFor();
  await page.keyboard.press('Escape');
  await levels.locator(':focus', { hasText: 'Warnings' }).waitFor();
  expect(faults).toEqual([]);
});

it('gives the focus back to what opened the jobs, a menu or a dialog', async () => {
  const { page } = await subject.open('/instances');
  const jobs = page.getByRole('button', { name: /^Jobs/ });
  await jobs.focus();
  await page.keyboard.press('Enter');
  await page.locator('.drawer button:focus').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.rail-item:focus', { hasText: 'Jobs' }).waitFor();
  const more = page.locator('.t-row .t-actions [aria-haspopup]').first();
  await more.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('End');
  await page.locator('.menu :focus', { hasText: 'delete' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.t-actions [aria-haspopup]:focus').waitFor();
});

it('reaches the page with the first key, and stays in it when a link in it is followed', async () => {
  const { page } = await subject.open('/hosts');
  await page.locator('.host-row a').first().waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Skip to the page' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('main:focus').waitFor();
  await page.locator('.h-name a').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('.thing-head').waitFor();
  await page.locator('main:focus').waitFor();
});

it('goes anywhere by the palette on a narrow screen, where the bar has no room for all', async () => {
  const { page } = await subject.open('/live', { width: 360, height: 740 });
  await page.getByRole('button', { name: 'Go to anything' }).click();
  await page.keyboard.type('led');
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/ledger$/);
});

it('keeps what is typed in a filter that has not settled yet', async () => {
  const { page } = await subject.open('/live?beside=level%3Dwarn');
  const second = page.getByLabel('Search lines of the second stream');
  await second.waitFor();
  // Both in one task: typed, and another choice made before the filter was taken.
  await page.getByLabel('Search lines', { exact: true }).evaluate((field: HTMLInputElement) => {
    field.value = 'session';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    document.querySelector<HTMLElement>('.seg-info')!.click();
  });
  await page.waitForURL((url) => /q=session/.test(url.hash) && /level=info/.test(url.hash));
  await second.focus();
  await page.keyboard.type('kernel ');
  await page.waitForURL(/kernel/);
  // Its stream is another one now; the reader goes on where the cursor stood.
  await page.keyboard.type('br0');
  await page.waitForURL(/kernel.*br0/);
  expect(await second.inputValue()).toBe('kernel br0');
});

it('finds a host among many, and says when a rule is not there', async () => {
  const { page } = await subject.open('/hosts');
  await page.locator('.host-row').nth(1).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('lost');
  await page.waitForURL(/q=lost$/);
  await expect.poll(() => page.locator('.host-row:not(.host-head)').count()).toBe(1);
  await page.goto(`${subject.url}/#/rules/nothing-here`);
  await page.getByRole('heading', { name: 'There is no such rule' }).waitFor();
});

it('chooses a range by the bars above the stream', async () => {
  const { page } = await subject.open('/live');
  await page.locator('.row:not([hidden])').first().waitFor();
  await page.keyboard.press('b');
  for (const key of `${'ArrowLeft '.repeat(3)}${'Shift+ArrowLeft '.repeat(2)}Enter`.split(' '))
    await page.keyboard.press(key);
  await page.waitForURL(/from=.*to=/);
  const given = new URLSearchParams(decodeURIComponent(new URL(page.url()).hash).split('?')[1]);
  expect(Date.parse(given.get('to')!) - Date.parse(given.get('from')!)).toBe(30_000);
  await page.keyboard.press('L');
  await expect.poll(() => page.url()).not.toContain('from=');
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleUnderTest, startConsole } from './console.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

const sent = async (method: string, path: RegExp) =>
  (await subject.mock('calls')).calls.filter((call) => call.method === method && path.test(call.path));

describe('the pages of rules', () => {
  it('show what fires first, and switch a rule off', async () => {
    const { page, faults } = await subject.open('/rules');
    await page.locator('.rule-row').first().waitFor();
    await expect.poll(() => page.locator('.rule-row').first().locator('.rule-name').textContent()).toBe('Disk errors');
    await expect.poll(() => page.locator('.rule-row.is-firing .rule-groups b').allTextContents()).toEqual(['alder']);
    await page.locator('.rule-row').first().locator('input[role=switch]').press('Space');
    await page.locator('.rule-row.is-off .rule-name', { hasText: 'Disk errors' }).waitFor();
    await expect.poll(async () => (await sent('PUT', /rules/)).length).toBe(1);
    const [call] = await sent('PUT', /rules/);
    expect(call?.body).toMatchObject({ enabled: false, name: 'Disk errors', groupBy: 'host' });
    expect(Object.keys(call?.body ?? {})).not.toContain('firing');
    for (const tab of ['History', 'Destinations', 'Deliveries']) {
      await page.locator('.rule-tabs a', { hasText: tab }).click();
      await page
        .locator(tab === 'Destinations' ? '.destination-row' : '.rule-events li')
        .first()
        .waitFor();
    }
    await expect.poll(() => page.locator('.rule-events .rule-said').first().textContent()).toContain('503');
    expect(faults).toEqual([]);
  });

  it('make a rule from a line, with a preview that follows what is typed', async () => {
    const { page, faults } = await subject.open('/live');
    await page.locator('.row').first().waitFor();
    await page.locator('.row').first().click();
    await page.getByText('Make a rule').first().click();
    await page.locator('#rule-q').waitFor();
    await expect.poll(() => page.locator('#rule-name').inputValue()).not.toBe('');
    await page.locator('.rule-preview figcaption b', { hasText: '40 times' }).waitFor();
    await page.locator('#rule-count').fill('4');
    await page.locator('.rule-preview figcaption b', { hasText: '10 times' }).waitFor();
    await page.locator('#rule-q').fill('/(((/');
    await page.locator('#rule-q-note', { hasText: 'pattern' }).waitFor();
    await expect.poll(() => page.locator('[data-submit]').isDisabled()).toBe(true);
    await page.locator('#rule-q').fill('"out of memory"');
    await page.locator('.rule-preview').waitFor();
    await page.locator('[data-submit]').click();
    await page.locator('.rule-mark.is-ok').waitFor();
    await expect
      .poll(async () => (await sent('POST', /rules$/)).at(-1)?.body)
      .toMatchObject({ query: { q: '"out of memory"' }, condition: { kind: 'lines', count: 4 } });
    expect(faults).toEqual([]);
  });

  it('mute a rule for a time and hear it again, and ask before one is removed, all by keyboard', async () => {
    const { page, faults } = await subject.open('/rules');
    await page.locator('.rule-name', { hasText: 'Silent guests' }).press('Enter');
    await page.locator('[data-mute]').press('Enter');
    await page.locator('.menu button:focus').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('.page-title .rule-muted').waitFor();
    await expect.poll(async () => (await sent('POST', /mute$/)).length).toBe(1);
    const [call] = await sent('POST', /mute$/);
    expect(call?.body).toEqual({ forMs: 3_600_000 });
    await page.goto(`${subject.url}/#/rules`);
    await page.locator('.rule-row .rule-muted').waitFor();
    await page.locator('.rule-name', { hasText: 'Silent guests' }).click();
    await page.locator('[data-unmute]').press('Enter');
    await page.locator('[data-mute]').waitFor();
    await page.locator('[data-remove]').press('Enter');
    await page.locator('[data-remove]', { hasText: 'for good' }).waitFor();
    // Whoever goes elsewhere has not meant it.
    await page.keyboard.press('Tab');
    await page.locator('[data-remove]', { hasNotText: 'for good' }).waitFor();
    expect(await sent('DELETE', /rules/)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('add a destination without ever showing its key, and try it', async () => {
    const { page, faults } = await subject.open('/rules?tab=destinations');
    await page.getByRole('button', { name: 'Add a destination' }).click();
    await page.locator('dialog .seg', { hasText: 'Webhook' }).click();
    await page.locator('#destination-name').fill('pager');
    await page.locator('#destination-url').fill('https://pager.example.org/x');
    await page.locator('#destination-secret').fill('key');
    await page.locator('#destination-together').uncheck();
    expect(await page.locator('#destination-secret').getAttribute('type')).toBe('password');
    await page.locator('dialog [data-submit]').click();
    await page.locator('.destination-row', { hasText: 'pager' }).getByText('each event apart').waitFor();
    expect((await sent('POST', /destinations$/)).at(-1)?.body).toMatchObject({ together: false, secret: 'key' });
    await page.locator('.destination-row', { hasText: 'pager' }).locator('[data-test]').click();
    await page.locator('.bad-text', { hasText: '404' }).waitFor();
    expect(faults).toEqual([]);
  });

  it('tell of each way in what was taken, refused and lost, and why, on the page of the ledger', async () => {
    const { page, faults } = await subject.open('/ledger', { width: 360, height: 740 });
    await page.locator('.way-in', { hasText: 'Syslog, UDP' }).waitFor();
    const text = async () =>
      ((await page.locator('.ways-in:not(.store-panel)').textContent()) ?? '').replaceAll(/\s+/g, ' ');
    for (const part of [
      /48.210 taken, 3 refused/,
      /3 refused: the message is missing/,
      /8.112 lost: more lines a second/,
    ])
      await expect.poll(text).toMatch(part);
    await expect.poll(text).toContain('Off: Syslog, TLS');
    const over = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await expect.poll(over).toBe(0);
    expect(faults).toEqual([]);
  });

  it('fit 360 px, in both colours', async () => {
    for (const [place, ready] of [
      ['/rules', '.rule-row'],
      ['/rules?tab=history', '.rule-events li'],
      ['/rules?tab=destinations', '.destination-row'],
      ['/rules/new', '.rule-preview'],
    ] as const) {
      const { page, faults } = await subject.open(place, { width: 360, height: 740, theme: 'light' });
      await page.locator(ready).first().waitFor();
      const tabs = page.locator('.rule-tabs');
      if ((await tabs.count()) > 0)
        await expect.poll(() => tabs.evaluate((bar) => bar.scrollWidth - bar.clientWidth), { message: place }).toBe(0);
      const over = () =>
        page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      await expect.poll(over, { message: place }).toBe(0);
      expect(faults).toEqual([]);
      await subject.closePages();
    }
  });
});

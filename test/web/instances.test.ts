import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleUnderTest, startConsole } from './console.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still', '--instances', '1000', '--hosts', '50']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

const posts = async () => (await subject.mock('calls')).calls.filter(({ path }) => path.endsWith('/actions'));
const rowNames = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.t-row:not([hidden])')]
      .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
      .map((row) => row.querySelector('.t-name')?.textContent ?? ''),
  );

/** Resolves when nothing in the table has changed for ten frames. */
const settled = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<void>((done) => {
        let still = 0;
        const changes = new MutationObserver(() => {
          still = 0;
        });
        const what = { subtree: true, childList: true, characterData: true, attributes: true };
        changes.observe(document.querySelector('.t-space')!, what);
        const look = () => {
          still += 1;
          if (still < 10) return void requestAnimationFrame(look);
          changes.disconnect();
          done();
        };
        look();
      }),
  );

describe('the instances table', () => {
  it('lists a thousand with few elements, and one change paints one row', async () => {
    const { page, faults } = await subject.open('/instances');
    await page.locator('.t-row').first().waitFor();
    await page.getByText('1\u2009000 of 1\u2009000').waitFor();
    await settled(page);
    expect(await page.locator('.t-row').count()).toBeLessThan(60);
    const [name] = await rowNames(page);
    const index = (await subject.mock('calls')).instances.findIndex((instance) => instance.name === name);
    await page.evaluate(() => {
      const painted = new Set<Element>();
      (window as unknown as { painted: Set<Element> }).painted = painted;
      new MutationObserver((records) => {
        for (const { target } of records) {
          const row = (target instanceof Element ? target : target.parentElement)?.closest('.t-row');
          if (row) painted.add(row);
        }
      }).observe(document.querySelector('.t-space')!, { subtree: true, childList: true, characterData: true });
    });
    await subject.mock('instance', { index, set: { vcpus: 77 } });
    await page.locator('.t-vcpus', { hasText: '77' }).waitFor();
    await settled(page);
    expect(await page.evaluate(() => (window as unknown as { painted: Set<Element> }).painted.size)).toBe(1);
    expect(faults).toEqual([]);
  });

  it('holds its order under the pointer and says what waits', async () => {
    const { page } = await subject.open('/instances');
    await page.locator('.t-row').first().waitFor();
    await page.locator('.t-table').hover();
    const before = await rowNames(page);
    for (const name of ['aaa-1', 'aaa-2', 'aaa-3']) {
      await subject.mock('add-instance', { set: { id: crypto.randomUUID(), name } });
    }
    await page.locator('.waiting', { hasText: '3 new' }).waitFor();
    expect(await rowNames(page)).toEqual(before);
    await page.mouse.move(10, 10);
    await expect.poll(async () => (await rowNames(page)).slice(0, 3)).toEqual(['aaa-1', 'aaa-2', 'aaa-3']);
  });

  it('sends one operation for a double click and stays busy until the outcome', async () => {
    const { page } = await subject.open('/instances?state=running&q=web');
    const before = (await posts()).length;
    const row = page.locator('.t-row').first();
    await row.locator('[data-act="shutdown"]').dblclick();
    await row.locator('.busy').waitFor();
    await page.locator('.toast-good', { hasText: 'shutdown' }).waitFor();
    expect((await posts()).length - before).toBe(1);
    expect(String((await posts()).at(-1)!.body['opId'])).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
  });

  it('asks before it destroys, names the targets, and wants the number typed for many', async () => {
    const { page } = await subject.open('/instances?state=running&q=db');
    await page.locator('.t-row').nth(3).waitFor();
    const before = (await posts()).length;
    const names = (await rowNames(page)).slice(0, 4);
    // Rows stand in the document in the order in which they came, not in that of the table.
    for (const name of names) await page.locator(`.t-row:has(.t-name:text-is("${name}")) input`).click();
    await page.locator('.bulk [data-act="force-off"]').click();
    const dialog = page.locator('dialog[open]');
    for (const name of names) await dialog.getByText(name, { exact: true }).waitFor();
    const confirm = dialog.getByRole('button', { name: /force-off/ });
    expect(await confirm.isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog[open]').count()).toBe(0);
    expect((await posts()).length).toBe(before);
    await page.locator('.bulk [data-act="force-off"]').click();
    await page.locator('dialog[open] input').fill('4');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await posts()).length - before).toBe(1);
    const { body, path } = (await posts()).at(-1)!;
    expect([path, body['action'], new Set(body['ids'] as string[]).size]).toEqual([
      '/api/v1/instances/actions',
      'force-off',
      4,
    ]);
  });

  it('announces failures, with what to try, also of jobs of others', async () => {
    const { page } = await subject.open('/instances');
    await page.locator('.t-row').first().waitFor();
    // The rows may be there before the push is: the job is seen running first.
    await subject.mock('job', { set: { id: 'job-of-other', state: 'running', endedMs: null, createdMs: Date.now() } });
    await page.locator('.rail .count.is-busy').waitFor();
    await subject.mock('job', {
      set: {
        id: 'job-of-other',
        state: 'failed',
        actor: 'eva@example.org',
        endedMs: Date.now(),
        createdMs: Date.now(),
        error: { code: 'libvirt-unavailable', message: 'libvirtd did not answer.' },
      },
    });
    const toast = page.locator('.toast-bad');
    await toast.waitFor();
    for (const text of ['libvirtd did not answer.', 'systemctl status libvirtd', 'eva@example.org']) {
      await expect.poll(() => toast.textContent()).toContain(text);
    }
    await toast.getByRole('link').click();
    await page.waitForURL(/#\/jobs\/job-of-other/);
  });
});

describe('hosts', () => {
  it('shows the one line to paste and turns green when the agent is there', async () => {
    const { page } = await subject.open('/hosts');
    await page.locator('.candidate .btn-accent').first().click();
    const dialog = page.locator('dialog[open]');
    await dialog.locator('.paste code', { hasText: 'webvirt agent enrol https://' }).waitFor();
    await subject.mock('enrolled');
    await dialog.getByText('is enrolled').waitFor();
  });

  it('tells why a range is refused', async () => {
    const { page } = await subject.open('/hosts');
    await page.locator('[name="range"]').fill('8.8.8.0/24');
    await page.getByRole('button', { name: 'Scan' }).click();
    await page.locator('.discovery [role="alert"]', { hasText: 'not inside the configured ranges' }).waitFor();
  });
});

describe('sign-in', () => {
  it('says what is wrong and leads to where the link pointed', async () => {
    const { page } = await subject.open('/hosts');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('#email').fill('admin@localhost');
    await page.locator('#password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.locator('[role="alert"]', { hasText: 'password is wrong' }).waitFor();
    await page.locator('#password').fill('mock');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Hosts', exact: true }).waitFor();
    await expect.poll(() => page.url()).toContain('#/hosts');
  });
});

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleUnderTest, startConsole } from './console.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  // So long that the page of a move is there before the move has ended.
  subject = await startConsole(['--still', '--move-ms', '4000']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

const calls = async (method: string, end: RegExp) =>
  (await subject.mock('calls')).calls.filter((call) => call.method === method && end.test(call.path));
const list = async <T>(uri: string): Promise<T[]> =>
  ((await (await fetch(`${subject.url}/api/v1/${uri}`)).json()) as { data: T[] }).data;
const openLaunch = async (page: Page) => {
  await page.locator('.t-row').first().waitFor();
  await page.keyboard.press('n');
  // A name is proposed once the base images are there: before, there is nothing to launch.
  await expect.poll(() => page.locator('#launch-name').inputValue()).not.toBe('');
};
interface Row {
  id: string;
  name: string;
  state: string;
  hostName: string;
  stale: boolean;
  busyJob: string | null;
}

describe('launch', () => {
  it('is checked as it is typed, sends one operation for a double click, and follows it to the new instance', async () => {
    const { page, faults } = await subject.open('/instances');
    await openLaunch(page);
    const name = page.locator('#launch-name');
    await expect.poll(() => name.inputValue()).toBe('debian-12-1');
    const note = page.locator('#launch-name-note');
    await name.fill('42');
    await note.getByText('digits only').waitFor();
    const [first] = await list<Row>('instances');
    await name.fill(first!.name);
    await note.getByText(`of this name on ${first!.hostName}`).waitFor();
    await name.fill('shop-1');
    await page.locator('#launch-memory').fill('900');
    await page.keyboard.press('Enter');
    await page.locator('#launch-host .field-note', { hasText: 'No host can take it now' }).waitFor();
    expect(await calls('POST', /instances$/)).toEqual([]);
    await page.locator('#launch-memory').fill('1.5');
    await page.getByText('1.5 GiB memory on network default').waitFor();
    await page.locator('[data-submit]').dblclick();
    await page.locator('.placement', { hasText: 'most free memory' }).waitFor();
    await page.locator('.state', { hasText: 'done' }).waitFor();
    await page.locator('.row', { hasText: 'starts it' }).first().waitFor();
    const posts = await calls('POST', /instances$/);
    expect(posts.length).toBe(1);
    expect(posts[0]!.body).toMatchObject({ name: 'shop-1', base: 'debian-12', memoryBytes: 1.5 * 1024 ** 3, vcpus: 1 });
    await page.reload();
    await page.locator('.placement', { hasText: 'most free memory' }).waitFor();
    await page.locator('.title-end').getByRole('link', { name: 'shop-1' }).click();
    await page.getByRole('heading', { name: 'shop-1' }).waitFor();
    expect(faults).toEqual([]);
  });

  it('tells what the manager refuses under its field, and what failed on the page of the job', async () => {
    const { page } = await subject.open('/instances');
    await openLaunch(page);
    await page.locator('#launch-name').fill('taken-elsewhere');
    await page.keyboard.press('Enter');
    await page.locator('#launch-name-note', { hasText: 'a moment ago' }).waitFor();
    await page.locator('#launch-name').fill('fails-1');
    await page.keyboard.press('Enter');
    await page.locator('.job-error', { hasText: 'connecting to monitor' }).waitFor();
    const ids = (await calls('POST', /instances$/)).slice(-2).map(({ body }) => body['opId']);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('migrate', () => {
  it('says what speaks against each target before the click, then shows numbers and the measured downtime', async () => {
    const running = (await list<Row>('instances')).find(
      (one) => one.state === 'running' && !one.stale && !one.busyJob,
    )!;
    const { page, faults } = await subject.open(`/instances/${running.id}`);
    await page.locator('[data-op="migrate"]').click();
    await page.locator('.checks li').first().waitFor();
    // Those to which it can move stand above those to which it cannot.
    await page.locator('.move-targets .verdict', { hasText: 'cannot move' }).first().waitFor();
    const words = await page.locator('.move-targets .verdict').allTextContents();
    const bad = words.findIndex((text) => text.includes('cannot move'));
    expect(bad).toBeGreaterThan(0);
    expect(words.slice(bad).every((text) => text.includes('cannot move'))).toBe(true);
    const submit = page.locator('[data-submit]');
    await expect.poll(() => submit.isDisabled()).toBe(false);
    await page.locator('.move-targets .choice').nth(bad).click();
    await page.locator('.checks .verdict-bad').first().waitFor();
    await expect.poll(() => submit.isDisabled()).toBe(true);
    await page.locator('.move-targets .choice').first().click();
    await page.getByLabel('Copy the disks').check();
    await page.locator('.checks', { hasText: 'will be copied' }).waitFor();
    await page.getByLabel('Copy the disks').uncheck();
    await page.locator('.checks', { hasText: 'both hosts share' }).waitFor();
    await page.locator('#move-downtime').fill('250');
    await submit.dblclick();
    await page.locator('.job-figures', { hasText: 'Dirty rate' }).waitFor();
    await page.locator('.charts canvas').first().waitFor();
    await page.locator('.job-figures', { hasText: 'measured' }).getByText('84 ms').waitFor();
    await page.locator('.toast-good', { hasText: `migrate ${running.name} from` }).waitFor();
    const posts = await calls('POST', /migrate$/);
    expect(posts.length).toBe(1);
    expect(posts[0]!.body).toMatchObject({ live: true, tunnelled: false, maxDowntimeMs: 250 });
    expect(faults).toEqual([]);
  });
});

describe('delete', () => {
  it('wants the name typed and the power cut agreed to, and names the disks that stay', async () => {
    const running = (await list<Row>('instances')).find((one) => one.name === 'db-1')!;
    const { page } = await subject.open(`/instances/${running.id}`);
    await page.locator('[data-op="delete"]').click();
    await page.locator('.fates', { hasText: 'outside of the pools' }).waitFor();
    const submit = page.locator('[data-submit]');
    await page.locator('#delete-name:focus').waitFor();
    await page.keyboard.type('db-');
    expect(await submit.isDisabled()).toBe(true);
    await page.keyboard.type('1');
    expect(await submit.isDisabled()).toBe(true);
    await page.locator('.check-danger input').check();
    await submit.click();
    await page.locator('.toast-good', { hasText: 'delete db-1' }).waitFor();
    await expect.poll(async () => (await list<Row>('instances')).some(({ id }) => id === running.id)).toBe(false);
  });
});

describe('base images', () => {
  it('are registered from a file, with the refusal of the host in the dialog, and forgotten', async () => {
    const { page } = await subject.open('/images');
    await page.locator('.image-table').waitFor();
    await page.keyboard.press('r');
    // Until the pools are read there is nothing to look into.
    await page.locator('#image-pool option').first().waitFor({ state: 'attached' });
    await page.locator('#image-file').fill('missing-9.qcow2');
    await page.keyboard.press('Enter');
    await page.locator('dialog[open] .field.is-bad', { hasText: 'There is no file' }).waitFor();
    await page.locator('#image-file').fill('Fedora_41.qcow2');
    await expect.poll(() => page.locator('#image-name').inputValue()).toBe('fedora_41');
    await page.keyboard.press('Enter');
    const row = page.locator('.image-table .host-row', { hasText: 'fedora_41' });
    await row.waitFor();
    await expect.poll(() => page.locator('dialog[open]').count()).toBe(0);
    await row.getByRole('button', { name: 'forget' }).click();
    await page.locator('dialog[open]').getByText('the file').waitFor();
    await page.locator('[data-submit]').click();
    await expect.poll(() => row.count()).toBe(0);
  });
});

describe('a part of the program that cannot be fetched', () => {
  it('is named in its place, with what to do, and breaks nothing else', async () => {
    const { page } = await subject.open('/instances');
    const running = (await list<Row>('instances')).find((one) => one.state === 'running' && !one.stale);
    const broken: string[] = [];
    page.on('pageerror', (error) => broken.push(error.message));
    await page.route(/\.js$/, (route) => route.abort());
    await page.goto(`${subject.url}/#/instances/${running!.id}`);
    await page.locator('.chart', { hasText: 'Reload the page' }).first().waitFor();
    await page.locator('[data-op="migrate"]').click();
    await page.locator('.toast-bad', { hasText: 'Reload the page' }).waitFor();
    expect(broken).toEqual([]);
  });
});

describe('at 360 px', () => {
  it('the dialogs fit, and can be sent', async () => {
    const running = (await list<Row>('instances')).find((one) => one.state === 'running' && !one.stale)!;
    const { page, faults } = await subject.open('/instances', { width: 360, height: 640 });
    await openLaunch(page);
    const fits = () =>
      page.evaluate(() => {
        const box = document.querySelector('[data-submit]')!.getBoundingClientRect();
        const body = document.querySelector('.form-body')!;
        return [box.right <= 360 && box.bottom <= 640, body.scrollWidth - body.clientWidth];
      });
    await expect.poll(fits).toEqual([true, 0]);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog[open]').count()).toBe(0);
    await page.goto(`${subject.url}/#/instances/${running.id}`);
    await page.locator('[data-op="migrate"]').click();
    await page.locator('.checks li').first().waitFor();
    await expect.poll(fits).toEqual([true, 0]);
    expect(faults).toEqual([]);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleUnderTest, startConsole } from './console.ts';

let subject: ConsoleUnderTest;
beforeAll(async () => {
  subject = await startConsole(['--still']);
});
afterEach(() => subject.closePages());
afterAll(() => subject?.stop());

const WAIT = '.row, .host-row:not(.host-head), .t-row, .job, .fact-row';

describe('at 360 px', () => {
  it('no page is wider than the screen, and nothing that can be pressed is off it', async () => {
    const { instances } = await subject.mock('calls');
    const long = 'a-very-long-name-without-any-place-to-break-it-'.repeat(4);
    await subject.mock('instance', {
      index: 0,
      set: {
        name: long,
        title: long,
        hostName: long,
        disks: [{ target: 'vda', device: 'disk', format: 'qcow2', source: `/srv/${long}/${long}.qcow2` }],
        nics: [{ type: 'bridge', source: long, model: 'virtio', mac: '52:54:00:00:00:01' }],
      },
    });
    await subject.mock('sign-in');
    const hosts = (await (await fetch(`${subject.url}/api/v1/hosts`)).json()) as { data: { id: string }[] };
    const places = [
      '/live',
      '/live?q=level:',
      '/hosts',
      `/hosts/${hosts.data[0]!.id}`,
      '/instances',
      `/instances/${instances[0]!.id}`,
      '/images',
      '/jobs',
    ];
    for (const place of places) {
      const { page, faults } = await subject.open(place, { width: 360, height: 740 });
      await page.locator(`${WAIT}, .stream-error`).first().waitFor();
      const measure = () =>
        page.evaluate(() => ({
          page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          main: [...document.querySelectorAll<HTMLElement>('.main, .page, .t-scroll, .stream-scroll')]
            .filter((el) => el.scrollWidth > el.clientWidth)
            .map((el) => el.className),
          off: [...document.querySelectorAll<HTMLElement>('button, input, select, a')]
            .filter((el) => el.closest('.segments, [hidden], .tiles') === null)
            .filter((el) => {
              const box = el.getBoundingClientRect();
              return box.width > 0 && (box.right > 361 || box.left < -1);
            })
            .map((el) => el.outerHTML.slice(0, 120)),
        }));
      await expect.poll(measure, { message: place }).toEqual({ page: 0, main: [], off: [] });
      expect(faults).toEqual([]);
      await subject.closePages();
    }
  });

  it('goes everywhere by the bar at the bottom', async () => {
    const { page } = await subject.open('/live', { width: 360, height: 740 });
    await expect.poll(async () => (await page.locator('.rail').boundingBox())?.y).toBeGreaterThan(600);
    await page.getByRole('link', { name: 'Instances', exact: true }).click();
    await page.waitForURL(/#\/instances$/);
    await page.getByRole('button', { name: /Jobs/ }).click();
    await page.locator('.drawer').waitFor();
  });
});

describe('colours', () => {
  it('change with the switch and stay changed', async () => {
    const { page } = await subject.open('/live', { theme: 'light' });
    const theme = () => page.evaluate(() => document.documentElement.dataset['bsTheme']);
    await expect.poll(theme).toBe('light');
    await page.keyboard.press('t');
    await expect.poll(theme).toBe('dark');
    await page.reload();
    await page.locator('.rail').waitFor();
    await expect.poll(theme).toBe('dark');
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Instance } from '../../common/model/instance.ts';
import type { Line } from '../../common/model/line.ts';
import { untilBody } from '../support/live.ts';
import { type PrivateLibvirtd, startPrivateLibvirtd } from '../support/private-libvirtd.ts';
import { defineShellGuest } from '../support/shell-guest.ts';
import { PASSWORD, type Stack, startStack } from '../support/stack.ts';
import { launchBrowser, type WatchedPage, watchedPage } from './browser.ts';

// A real guest behind a real libvirt, agent and manager: one story on one page, told in order.

const GUEST = 'c0000000-0000-4000-8000-000000000011';

describe.skipIf(process.getuid?.() !== 0)('the serial console on the page of an instance', () => {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-serial-'));
  let libvirtd: PrivateLibvirtd;
  let stack: Stack;
  let browser: Browser;
  let context: BrowserContext;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(async () => {
    [libvirtd, browser] = await Promise.all([startPrivateLibvirtd(), launchBrowser()]);
    await defineShellGuest(libvirtd, { name: 'web-1', uuid: GUEST, logFile: join(folder, 'guest.log') });
    stack = await startStack({
      agent: {
        WEBVIRT_AGENT_LIBVIRT_URI: libvirtd.uri,
        WEBVIRT_AGENT_LIBVIRT_RUN_DIR: libvirtd.runDir,
        WEBVIRT_AGENT_QEMU_LOG_DIR: libvirtd.qemuLogDir,
      },
    });
    await untilBody<Instance[]>(stack.socket(), '/api/v1/instances', (list) => list[0]?.state === 'shutoff');
    context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, colorScheme: 'dark' });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: stack.url });
    watched = await watchedPage(context);
    page = watched.page;
    await page.goto(`${stack.url}/#/instances/${GUEST}?tab=console`);
    await page.locator('#email').fill('admin@localhost');
    await page.locator('#password').fill(PASSWORD);
    await page.keyboard.press('Enter');
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    await libvirtd?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const rows = (on: Page) => on.locator('.xterm-rows');
  const shows = (text: string | RegExp, on: Page = page) =>
    on.locator('.xterm-rows > div').filter({ hasText: text }).last().waitFor();
  const connected = () => page.locator('.serial-state', { hasText: 'Connected on' }).waitFor();
  const type = (text: string) => page.keyboard.type(text);

  it('says what to do while the instance is off, and connects by itself when it is on', async () => {
    await page.locator('.serial-note', { hasText: 'The instance is shutoff.' }).waitFor();
    await page.locator('.serial-note').getByRole('button', { name: 'start' }).click();
    await connected();
    await shows(/boot: ready/);
    await shows(/heartbeat \d+ web-1/);
  });

  it('types a command and shows its answer, in colour, under a policy that allows no inline style', async () => {
    await page.locator('.serial-screen').click();
    await page.locator('.serial-hint', { hasText: 'leaves' }).waitFor();
    await page.keyboard.press('Enter');
    await shows('/ #');
    await type('echo "sum $((40+2))"\n');
    await shows(/^sum 42$/);
    await type('printf "\\033[38;2;255;0;0mtrue-colour\\033[0m \\033[31mred\\033[0m \\033[7minverse\\033[0m\\n"\n');
    const painted = page.locator('.xterm-rows span', { hasText: /^true-colour/ }).last();
    await painted.waitFor();
    expect(await painted.evaluate((span) => getComputedStyle(span).color)).toBe('rgb(255, 0, 0)');
    const red = page.locator('.xterm-rows span', { hasText: /^red/ }).last();
    expect(await red.evaluate((span) => getComputedStyle(span).color)).not.toBe(
      await page.locator('.xterm-rows').evaluate((all) => getComputedStyle(all).color),
    );
    expect(watched.faults).toEqual([]);
  });

  it('gives nothing of the page to what a guest prints: no title, no link, no clipboard', async () => {
    await page.evaluate(() => navigator.clipboard.writeText('mine'));
    const title = await page.title();
    await page.locator('.serial-screen').click();
    await type(
      'printf "\\033]0;owned\\007\\033]52;c;b3duZWQ=\\007\\033]8;;https://evil.example\\007link\\033]8;;\\007 \\033[21t\\n"; echo d"on"e\n',
    );
    await shows(/^done$/);
    expect(await page.title()).toBe(title);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('mine');
    const pages = context.pages().length;
    const link = (await page.locator('.xterm-rows > div', { hasText: /^link/ }).last().boundingBox())!;
    await page.mouse.click(link.x + 10, link.y + link.height / 2);
    expect(context.pages()).toHaveLength(pages);
    expect(watched.faults).toEqual([]);
  });

  it('asks before several lines are pasted', async () => {
    await page.evaluate(() => navigator.clipboard.writeText('echo pas"ted one"\necho pas"ted two"\n'));
    await page.locator('.serial-screen').click();
    await page.keyboard.press('Control+Shift+V');
    const dialog = page.locator('dialog[open]');
    await dialog.getByText('Paste 2 lines into web-1?').waitFor();
    await dialog.getByRole('button', { name: 'Do not paste' }).click();
    await page.locator('.serial-screen').click();
    await page.keyboard.press('Control+Shift+V');
    await dialog.getByRole('button', { name: 'Paste', exact: true }).click();
    await shows(/^pasted two$/);
  });

  it('lets the keyboard out, and takes it only when it is wanted', async () => {
    await page.locator('.serial-screen').click();
    await page.keyboard.press('Control+F6');
    await page.locator('.serial-hint', { hasText: 'Click into the terminal' }).waitFor();
    // Keys of the page work again.
    await page.keyboard.press('?');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
  });

  it('shows the same to a second page, with what was said before, and takes no keys of one that looks only', async () => {
    const other = await watchedPage(context);
    await other.page.goto(`${stack.url}/#/instances/${GUEST}?tab=console`);
    await shows(/^pasted two$/, other.page);
    await other.page.getByLabel('Look only').check();
    await other.page.locator('.serial-hint', { hasText: 'Keys are not sent' }).waitFor();
    await other.page.locator('.serial-screen').click();
    await other.page.keyboard.type('echo un"wanted"\n');
    await page.locator('.serial-screen').click();
    await type('echo wan"ted"\n');
    await shows(/^wanted$/, other.page);
    expect(await rows(other.page).textContent()).not.toContain('unwanted');
    expect(other.faults).toEqual([]);
    await other.page.close();
  });

  it('is back by itself after the manager and after the agent were killed', async () => {
    await stack.manager.end('SIGKILL');
    await page.locator('.serial-state', { hasText: 'not reached' }).waitFor();
    await stack.startManager();
    await connected();
    await page.locator('.serial-screen').click();
    await type('echo mana"ger"\n');
    await shows(/^manager$/);
    await stack.agent!.end('SIGKILL');
    await page.locator('.serial-note', { hasText: 'host does not answer' }).waitFor();
    await stack.startAgent({ WEBVIRT_AGENT_PORT: String(stack.agent!.ready['port']) });
    await connected();
    await shows('connected again');
    await page.locator('.serial-screen').click();
    await type('echo ag"ent"\n');
    await shows(/^agent$/);
  });

  it('tells that the guest was turned off and goes on with its next boot; who looked is written down, no key is', async () => {
    await libvirtd.virsh('destroy', GUEST);
    await page.locator('.serial-note', { hasText: 'The instance is shutoff.' }).waitFor();
    await libvirtd.virsh('start', GUEST);
    await connected();
    await shows(/^heartbeat \d web-1/);
    const { lines } = await stack.get<{ lines: Line[] }>(`/api/v1/logs?limit=1000&instance=${GUEST}&source=audit`);
    const opened = lines.filter(({ message }) => message === 'Serial console opened');
    expect(opened.length).toBeGreaterThan(1);
    expect(opened[0]!.fields).toMatchObject({ actor: 'admin@localhost', write: true });
    // What the guest itself prints, its echo too, is its console's; nobody else writes down what was typed.
    const { lines: all } = await stack.get<{ lines: Line[] }>('/api/v1/logs?limit=1000&q=-source:console');
    expect(all.filter(({ message }) => message.includes('wan"ted"'))).toEqual([]);
    expect(watched.faults).toEqual([]);
  });

  it('ends with the session', async () => {
    const other = await watchedPage(context);
    await other.page.goto(`${stack.url}/#/hosts`);
    await other.page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('#password').waitFor();
    await expect.poll(() => page.locator('.xterm').count()).toBe(0);
    const newest = async () => {
      const { lines } = await stack.get<{ lines: Line[] }>(`/api/v1/logs?limit=1&instance=${GUEST}&source=audit`);
      return lines[0]!.message;
    };
    await expect.poll(newest).toBe('Serial console closed');
  });
});

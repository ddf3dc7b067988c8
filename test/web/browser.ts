import { type Browser, type BrowserContext, chromium, type LaunchOptions, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A page with what went wrong on it: script errors, dialogs, breaches of the content security policy. */
export interface WatchedPage {
  page: Page;
  faults: string[];
}

/** A headless Chromium. `close` it, whatever happens: it is a tree of processes. */
export function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS, ...options });
}

/** A new page of a context, watched from its first moment. */
export async function watchedPage(context: BrowserContext): Promise<WatchedPage> {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.stack ?? error.message}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) faults.push(`policy: ${message.text()}`);
  });
  return { page, faults };
}

/** Resolves when no row of a stream has moved, come or gone for ten frames: all that was asked for is drawn. */
export function atRest(page: Page): Promise<void> {
  return page.evaluate(
    () =>
      new Promise<void>((done) => {
        let last = '';
        let same = 0;
        const look = () => {
          const rows = [...document.querySelectorAll<HTMLElement>('.row:not([hidden])')];
          const now = rows.map((row) => `${row.getBoundingClientRect().top} ${row.textContent}`).join('\n');
          same = now === last ? same + 1 : 0;
          last = now;
          if (same >= 10) done();
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
}

/** Turns the wheel over the first stream of the page, and resolves when it has moved and is at rest. */
export async function turnWheel(page: Page, px: number): Promise<void> {
  const scroller = page.locator('.stream-scroll').first();
  await scroller.hover();
  const was = await scroller.evaluate((el) => el.scrollTop);
  await page.mouse.wheel(0, px);
  await page.waitForFunction((top) => document.querySelector('.stream-scroll')!.scrollTop !== top, was);
  await atRest(page);
}

/** Texts of the messages on screen, top to bottom. */
export async function shownMessages(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.row:not([hidden])')]
      .map((row) => ({
        top: row.getBoundingClientRect().top,
        text: row.querySelector('.c-message')?.textContent ?? '',
      }))
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text),
  );
}

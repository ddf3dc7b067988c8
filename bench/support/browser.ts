import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../../test/web/browser.ts';

// Signals are for whoever runs the bench: it closes the browser among the rest.
const OURS = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
const VIEW = { width: 1_280, height: 800 };

/** A headless Chromium. `close` it, whatever happens: it is a tree of processes. */
export function openBrowser(): Promise<Browser> {
  return launchBrowser({ timeout: 30_000, ...OURS });
}

/** A fresh profile. Functions that were compiled by tsx name themselves with a call that a page does not know. */
export async function newContext(browser: Browser, storageState?: Storage): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: VIEW, ...(storageState === undefined ? {} : { storageState }) });
  await context.addInitScript('globalThis.__name = (named) => named');
  return context;
}
export type Storage = Awaited<ReturnType<BrowserContext['storageState']>>;

/** Signs in through the form of the console and resolves when the page behind it is there. */
export async function signIn(page: Page, place: string, password: string): Promise<void> {
  await page.goto(place);
  await page.locator('#email').fill('admin@localhost');
  await page.locator('#password').fill(password);
  await page.keyboard.press('Enter');
  await page.locator('.rail').waitFor();
}

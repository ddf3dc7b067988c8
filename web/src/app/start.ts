import { askEarly } from '../net/early.ts';
import { loadPage } from '../views/pages/late-pages.ts';
import { parsePlace } from '../views/pages/place.ts';

/** Starts the console in an element. The first answers are on their way while the program itself is still being read. */
export async function startApp(root: HTMLElement): Promise<void> {
  askEarly(location.hash);
  // A failure is told where the page is wanted.
  loadPage(parsePlace(location.hash.slice(1)).page).catch(() => undefined);
  const { createApp } = await import('./app.ts');
  createApp({ root }).start();
}

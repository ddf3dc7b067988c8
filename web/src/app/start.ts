import { askEarly } from '../net/early.ts';

/** Starts the console in an element. The first answers are on their way while the program itself is still being read. */
export async function startApp(root: HTMLElement): Promise<void> {
  askEarly(location.hash);
  const { createApp } = await import('./app.ts');
  createApp({ root }).start();
}

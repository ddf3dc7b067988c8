import type { Me } from '../../../common/model/access.ts';
import { createTheme } from '../dom/theme.ts';
import { ApiError, createApi } from '../net/api.ts';
import { fetchOrEarly, forgetEarly } from '../net/early.ts';
import { Router } from '../router.ts';
import { SignInPage } from '../views/pages/sign-in-page.ts';
import { type Running, startConsole } from './console.ts';

const RETRY_MS = 2_000;

/** The console: asks who is there, then shows the sign-in form or the shell. What stands behind the form is in `console.ts`. */
export function createApp({ root }: { root: HTMLElement }): { start(): void; stop(): void } {
  const theme = createTheme(document.documentElement, window.localStorage);
  const api = createApi({
    fetch: fetchOrEarly,
    onSignedOut: () => signedOut('Your session has ended. Sign in again; you will return to where you were.'),
  });
  const router = new Router();
  let running: Running | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;

  function replace(next: Running | null): void {
    running?.stop();
    running = next;
  }

  function signedOut(reason: string | null): void {
    api.setCsrfToken(null);
    forgetEarly();
    const page = new SignInPage({
      parent: null,
      reason,
      signIn: async (email, password, remember) => {
        await api.post('/api/v1/sign-in', { email, password, remember });
        enter(await api.get<Me>('/api/v1/me'));
      },
    });
    replace({ stop: () => page.destroy() });
    document.title = 'Sign in · WebVirt';
    root.replaceChildren(page.draw().el);
    page.el.querySelector<HTMLInputElement>('input')?.focus();
  }

  function enter(me: Me): void {
    api.setCsrfToken(me.csrfToken);
    replace(null);
    replace(startConsole({ root, api, router, theme, me, onSignedOut: signedOut }));
  }

  async function begin(): Promise<void> {
    try {
      enter(await api.get<Me>('/api/v1/me'));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return signedOut(null);
      root.textContent = `${error instanceof Error ? error.message : String(error)} Trying again…`;
      root.className = 'boot-error';
      retry = setTimeout(() => void begin(), RETRY_MS);
    }
  }

  return {
    start() {
      theme.start();
      void begin();
    },
    stop() {
      clearTimeout(retry);
      replace(null);
      theme.stop();
    },
  };
}

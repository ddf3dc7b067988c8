/**
 * Answers that are asked for while the rest of the program is still on its way. `app/start.ts` asks, the first call of the
 * console for the same path takes the answer; nothing is asked for twice.
 */
const asked = new Map<string, Promise<Response>>();

/** What a place of the console (`#/instances?q=…`) shows first, beside who is signed in. */
function listOf(hash: string): string | null {
  const page = /^#\/(instances|hosts)(?:[?/]|$)/.exec(hash)?.[1];
  return page === undefined ? null : `/api/v1/${page}`;
}

/** Asks for who is signed in and for the list of the place. */
export function askEarly(hash: string): void {
  for (const path of ['/api/v1/me', listOf(hash)]) {
    if (path === null) continue;
    const answer = fetch(path, {
      credentials: 'same-origin',
      cache: 'no-store',
      headers: { accept: 'application/json' },
    });
    // Whoever takes the answer hears of a failure; until then it is not an unhandled one.
    answer.catch(() => undefined);
    asked.set(path, answer);
  }
}

/** The path of a list that is under way already, or null. */
export function earlyList(): string | null {
  for (const path of asked.keys()) if (path !== '/api/v1/me') return path;
  return null;
}

/** Nobody is signed in: what was asked for without a session is no answer to anything. */
export function forgetEarly(): void {
  asked.clear();
}

/** `fetch`, but a GET that was asked for early is answered from there, once. */
export const fetchOrEarly: typeof fetch = (input, init) => {
  const early = typeof input === 'string' && (init?.method ?? 'GET') === 'GET' ? asked.get(input) : undefined;
  if (early === undefined) return window.fetch(input, init);
  asked.delete(input as string);
  return early;
};

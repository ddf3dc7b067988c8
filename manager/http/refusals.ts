import type { ErrorCode } from '../../common/errors.ts';

/** Refusals that a person may want to look at: somebody tried what they may not, or a page tried it in their name. */
const TOLD: ReadonlySet<string> = new Set<ErrorCode>([
  'bad-host',
  'bad-origin',
  'csrf-missing',
  'forbidden',
  'bad-token',
]);
const LIMIT = 10;
const WINDOW_MS = 60_000;
const LIMIT_ADDRESSES = 1000;

export type RefusalAudit = (level: 'warn', message: string, fields: Record<string, unknown>) => void;

/** Writes one audit line for each refusal, at most ten a minute for each address: a flood of them must not fill the log. */
export function createRefusals(audit: RefusalAudit, now: () => number = Date.now) {
  const windows = new Map<string, { startMs: number; count: number }>();
  return (code: string, about: { method: string; path: string; address: string }): void => {
    if (!TOLD.has(code)) return;
    let window = windows.get(about.address);
    if (window === undefined || now() - window.startMs >= WINDOW_MS) {
      if (window !== undefined && window.count > LIMIT) {
        audit('warn', 'more requests were refused', { address: about.address, count: window.count - LIMIT });
      }
      window = { startMs: now(), count: 0 };
      windows.delete(about.address);
      windows.set(about.address, window);
      if (windows.size > LIMIT_ADDRESSES) windows.delete(windows.keys().next().value!);
    }
    window.count += 1;
    if (window.count <= LIMIT) audit('warn', 'request refused', { code, ...about, path: about.path.slice(0, 256) });
  };
}

export type Refusals = ReturnType<typeof createRefusals>;

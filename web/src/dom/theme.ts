export type ThemeChoice = 'auto' | 'dark' | 'light';

export interface Theme {
  choice(): ThemeChoice;
  /** Goes to the next of auto, dark, light and keeps it in this browser. */
  next(): ThemeChoice;
  start(): void;
  stop(): void;
  /** Called after the colours changed: canvases must be drawn again. Returns how to stop. */
  onChange(handler: () => void): () => void;
}

const KEY = 'webvirt-theme';
const ORDER: ThemeChoice[] = ['auto', 'dark', 'light'];

/** Sets `data-bs-theme` on the root element: Bootstrap and our own tokens both follow it. */
export function createTheme(root: HTMLElement, storage: Storage): Theme {
  const system = window.matchMedia('(prefers-color-scheme: light)');
  const handlers = new Set<() => void>();
  let choice = read();

  function read(): ThemeChoice {
    const kept = storage.getItem(KEY);
    return ORDER.find((known) => known === kept) ?? 'auto';
  }

  function apply(): void {
    const shown = choice === 'auto' ? (system.matches ? 'light' : 'dark') : choice;
    if (root.dataset['bsTheme'] === shown) return;
    root.dataset['bsTheme'] = shown;
    for (const handler of handlers) handler();
  }

  return {
    choice: () => choice,
    next() {
      choice = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length]!;
      storage.setItem(KEY, choice);
      apply();
      return choice;
    },
    start() {
      system.addEventListener('change', apply);
      apply();
    },
    stop() {
      system.removeEventListener('change', apply);
    },
    onChange(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
  };
}

/** Value of a colour token, for canvases. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

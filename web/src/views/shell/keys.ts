/** What keys do outside of fields. Pages get what is left. */
export interface KeyTargets {
  go(place: string): void;
  openJobs(): void;
  /** Closes the drawer; false when nothing was open. */
  closeDrawer(): boolean;
  openHelp(): void;
  openPalette(): void;
  launch(): void;
  nextTheme(): void;
  focusSearch(): boolean;
  pageKey(key: string): boolean;
}

const GOES: Record<string, string> = {
  l: '/live',
  h: '/hosts',
  i: '/instances',
  b: '/images',
  c: '/compute',
  e: '/ledger',
  r: '/rules',
};
/** The second key of `g l` must follow within this time. */
const CHORD_MS = 2_000;

/** Where a key was really pressed: a field inside a shadow root is told as its host. */
function pressedAt(event: KeyboardEvent): HTMLElement | null {
  const [target] = event.composedPath();
  return target instanceof HTMLElement ? target : null;
}

function isField(target: HTMLElement | null): boolean {
  return (
    target?.matches(
      'input:not([type="checkbox"]), textarea, select, [contenteditable]:not([contenteditable="false"])',
    ) ?? false
  );
}

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Arrows choose in a group of buttons of which one is on, as they do in a group of radio inputs; in dialogs too. */
function choose(event: KeyboardEvent): boolean {
  const step = STEPS[event.key];
  const from = pressedAt(event)?.closest('button[role="radio"]') ?? null;
  const group = from?.closest('[role="radiogroup"]') ?? null;
  if (step === undefined || from === null || group === null) return false;
  const all = [...group.querySelectorAll<HTMLButtonElement>('button[role="radio"]:enabled')];
  const next = all[(all.indexOf(from as HTMLButtonElement) + step + all.length) % all.length];
  next?.focus();
  next?.click();
  return true;
}

/** Starts to listen for keys. Returns how to stop. */
export function listenKeys(targets: KeyTargets): () => void {
  let chordMs = Number.NEGATIVE_INFINITY;

  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented) return;
    if (!(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) && choose(event)) {
      event.preventDefault();
      return;
    }
    if (document.querySelector('dialog[open]') !== null) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      targets.openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = pressedAt(event);
    if (isField(target)) {
      if (event.key === 'Escape') target?.blur();
      return;
    }
    // Space and Enter belong to a focused button or link.
    const acts = (target?.closest('button, a, summary, input') ?? null) !== null;
    if (acts && (event.key === ' ' || event.key === 'Enter')) return;
    if (handle(event)) event.preventDefault();
  }

  function handle(event: KeyboardEvent): boolean {
    const { key } = event;
    if (event.timeStamp - chordMs < CHORD_MS) {
      chordMs = Number.NEGATIVE_INFINITY;
      if (key === 'j') targets.openJobs();
      else if (GOES[key] !== undefined) targets.go(GOES[key]);
      else return false;
      return true;
    }
    switch (key) {
      case 'g':
        chordMs = event.timeStamp;
        return true;
      case '/':
        return targets.focusSearch();
      case '?':
        targets.openHelp();
        return true;
      case 't':
        targets.nextTheme();
        return true;
      case 'n':
        if (targets.pageKey(key)) return true;
        targets.launch();
        return true;
      case 'Escape':
        return targets.pageKey(key) || targets.closeDrawer();
      default:
        return targets.pageKey(key);
    }
  }

  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

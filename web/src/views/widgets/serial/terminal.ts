import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { Terminal as Xterm } from '@xterm/xterm';
import { terminalTheme } from './terminal-theme.ts';

export interface TerminalOptions {
  /** Keys, pasted text and what the terminal answers to the guest's questions. */
  onKeys(keys: string): void;
  /** The reader asked to get out of it with the keyboard. */
  onLeave(): void;
  onFocus(focused: boolean): void;
  onPaste(text: string): void;
  onCopy(text: string): void;
  onSize(columns: number, rows: number): void;
}

/** A terminal on the page. */
export interface Terminal {
  /** Clears the screen and shows this; questions in it are old and are not answered. */
  reset(bytes: Uint8Array): void;
  write(bytes: Uint8Array): void;
  /** A line of ours between the lines of the guest. */
  mark(text: string): void;
  setWrite(may: boolean): void;
  fit(): void;
  focus(): void;
  recolour(): void;
  paste(text: string): void;
  selection(): string;
  dispose(): void;
}

const SCROLLBACK_LINES = 5_000;
/** OSC numbers that nobody may use from inside a guest: 8 links, 52 the clipboard, the others ask for or set what is ours. */
const FORBIDDEN_OSC = [0, 1, 2, 4, 7, 8, 9, 10, 11, 12, 50, 52, 104, 110, 111, 112, 777, 1337];

/** Ctrl with F6: no browser and no keyboard layout has another use for it, and hardly a guest. */
function leaves(event: KeyboardEvent): boolean {
  return event.key === 'F6' && event.ctrlKey && !event.altKey && !event.metaKey;
}

function isChord(event: KeyboardEvent, code: string): boolean {
  return event.code === code && event.ctrlKey && event.shiftKey && !event.altKey;
}

export function openTerminal(element: HTMLElement, on: TerminalOptions): Terminal {
  const term = new Xterm({
    theme: terminalTheme(),
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--wv-mono'),
    fontSize: element.clientWidth < 480 ? 11 : 13,
    lineHeight: 1.15,
    minimumContrastRatio: 4.5,
    scrollback: SCROLLBACK_LINES,
    cursorBlink: false,
    // Alt with a letter is Meta for the guest; without this, macOS makes an accent of it.
    macOptionIsMeta: true,
    windowOptions: {},
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  for (const number of FORBIDDEN_OSC) term.parser.registerOscHandler(number, () => true);
  let replaying = 0;

  term.attachCustomKeyEventHandler((event) => {
    if (leaves(event)) {
      event.preventDefault();
      if (event.type === 'keydown') on.onLeave();
      return false;
    }
    if (isChord(event, 'KeyC') || (event.key === 'Insert' && event.ctrlKey)) {
      event.preventDefault();
      if (event.type === 'keydown' && term.hasSelection()) on.onCopy(term.getSelection());
      return false;
    }
    // The browser pastes by itself, and is heard below.
    return !isChord(event, 'KeyV') && !(event.key === 'Insert' && event.shiftKey);
  });
  term.onData((keys) => {
    // An answer to what the guest asked is for one terminal to give: the one that somebody is at.
    if (replaying === 0 && document.activeElement === term.textarea) on.onKeys(keys);
  });
  term.onResize(({ cols, rows }) => on.onSize(cols, rows));
  term.open(element);
  fit.fit();

  const onPaste = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text !== '') on.onPaste(text);
  };
  element.addEventListener('paste', onPaste, true);
  const { textarea } = term;
  textarea?.addEventListener('focus', () => on.onFocus(true));
  textarea?.addEventListener('blur', () => on.onFocus(false));
  // Its label says how to get out: the Tab key belongs to the guest.
  textarea?.setAttribute('aria-label', 'Serial console. Keys go to the guest; Control F6 leaves.');
  const watcher = new ResizeObserver(() => fit.fit());
  watcher.observe(element);

  return {
    reset(bytes) {
      replaying += 1;
      term.reset();
      term.write(bytes, () => {
        replaying -= 1;
      });
    },
    write: (bytes) => term.write(bytes),
    mark: (text) => term.write(`\x1b[0m\r\n\x1b[3m— ${text} —\x1b[0m\r\n`),
    setWrite(may) {
      term.options.disableStdin = !may;
      term.options.cursorInactiveStyle = may ? 'outline' : 'none';
    },
    fit: () => fit.fit(),
    focus: () => term.focus(),
    recolour() {
      term.options.theme = terminalTheme();
    },
    paste(text) {
      term.focus();
      term.paste(text);
    },
    selection: () => term.getSelection(),
    dispose() {
      watcher.disconnect();
      element.removeEventListener('paste', onPaste, true);
      term.dispose();
    },
  };
}

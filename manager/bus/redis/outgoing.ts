import { setTimeout as sleep } from 'node:timers/promises';
import type { CommittedBatch } from '../../store/ports.ts';
import { type BusMessage, charsOf, encodeMessage, type Hint, linesOf, type Note } from './wire.ts';

export interface OutgoingConfig {
  /** How many characters of lines wait at most while Redis does not take them; beyond it the oldest go. */
  limitChars: number;
}

/** An entry on its way: `seq` grows by one; `upTo` counts all lines of this run up to and with it, given up or not. */
export interface OutgoingEntry {
  seq: number;
  upTo: number;
  text: string;
}

/** What this manager tells the others. Taking something costs nothing but keeping it: all work is done later. */
export interface Outgoing {
  lines(batches: readonly CommittedBatch[]): void;
  hint(hint: Hint): void;
  note(note: Note): void;
  /** True when Redis has taken everything that was told so far; false when it is away. */
  taken(): Promise<boolean>;
  /** Redis may be back. */
  wake(): void;
  stop(): void;
  readonly stats: { sentLines: number; droppedLines: number; waitingChars: number; away: boolean };
  /** True once notes were dropped because too many waited, until it is asked: they must all be told anew. */
  lostNotes(): boolean;
}

const ENTRY_CHARS = 512 * 1024;
const MAX_HINTS = 5_000;
const LIMIT_NOTES_CHARS = 16 * 1024 * 1024;
const RETRY_MS = { first: 50, most: 1_000 };

export function createOutgoing(
  { limitChars }: OutgoingConfig,
  deps: {
    send(entry: OutgoingEntry): Promise<void>;
    onTrouble(error: Error): void;
    onBack(droppedLines: number): void;
  },
): Outgoing {
  const stats = { sentLines: 0, droppedLines: 0, waitingChars: 0, away: false };
  let waiting: { batch: CommittedBatch; chars: number }[] = [];
  /** By their text: a hint that was not told yet need not be told twice. */
  const hints = new Map<string, Hint>();
  let notes: { note: Note; chars: number }[] = [];
  let notesChars = 0;
  let areNotesLost = false;
  let waiters: ((taken: boolean) => void)[] = [];
  let sending: (OutgoingEntry & { lines: number }) | null = null;
  let seq = 0;
  let upTo = 0;
  let droppedWhenLeft = 0;
  let running = false;
  let stopped = false;
  let pause: AbortController | null = null;

  function take(): OutgoingEntry & { lines: number } {
    let chars = 0;
    let count = 0;
    while (count < waiting.length && (count === 0 || chars + waiting[count]!.chars <= ENTRY_CHARS))
      chars += waiting[count++]!.chars;
    const batches = waiting.slice(0, count).map(({ batch }) => batch);
    waiting = waiting.slice(count);
    stats.waitingChars -= chars;
    const told = takeNotes(ENTRY_CHARS - chars);
    const message: BusMessage = { batches, notes: told, hints: notes.length > 0 ? [] : [...hints.values()] };
    if (notes.length === 0) hints.clear();
    const lines = batches.reduce((sum, batch) => sum + linesOf(batch), 0);
    seq += 1;
    upTo += lines;
    return { seq, upTo, text: encodeMessage(message), lines };
  }

  function takeNotes(roomChars: number): Note[] {
    let chars = 0;
    let count = 0;
    while (count < notes.length && (count === 0 || chars + notes[count]!.chars <= roomChars))
      chars += notes[count++]!.chars;
    const told = notes.slice(0, count).map(({ note }) => note);
    notes = notes.slice(count);
    notesChars -= chars;
    return told;
  }

  function answer(taken: boolean): void {
    const asked = waiters;
    waiters = [];
    for (const waiter of asked) waiter(taken);
  }

  const isEmpty = () => sending === null && waiting.length === 0 && hints.size === 0 && notes.length === 0;

  async function run(): Promise<void> {
    let retryMs = RETRY_MS.first;
    while (!stopped && !isEmpty()) {
      sending ??= take();
      try {
        await deps.send(sending);
        stats.sentLines += sending.lines;
        sending = null;
        retryMs = RETRY_MS.first;
        if (stats.away) deps.onBack(stats.droppedLines - droppedWhenLeft);
        stats.away = false;
      } catch (error) {
        if (stopped) break;
        if (!stats.away) {
          droppedWhenLeft = stats.droppedLines;
          deps.onTrouble(error as Error);
        }
        stats.away = true;
        answer(false);
        pause = new AbortController();
        await sleep(retryMs, undefined, { signal: pause.signal }).catch(() => undefined);
        pause = null;
        retryMs = Math.min(RETRY_MS.most, retryMs * 2);
      }
    }
    running = false;
    answer(!stopped);
  }

  function kick(): void {
    if (running || stopped) return;
    running = true;
    // Behind the present step: the viewers of this manager come first.
    setImmediate(() => void run());
  }

  return {
    stats,
    lines(batches) {
      if (stopped) return;
      for (const batch of batches) {
        const chars = charsOf(batch);
        waiting.push({ batch, chars });
        stats.waitingChars += chars;
      }
      let gone = 0;
      while (stats.waitingChars > limitChars && gone < waiting.length - 1) {
        const { batch, chars } = waiting[gone]!;
        gone += 1;
        stats.waitingChars -= chars;
        stats.droppedLines += linesOf(batch);
        // The next entry's count shows to every reader how many are missing before it.
        upTo += linesOf(batch);
      }
      if (gone > 0) waiting = waiting.slice(gone);
      kick();
    },
    hint(hint) {
      if (stopped || hints.size >= MAX_HINTS) return;
      hints.set(JSON.stringify(hint), hint);
      kick();
    },
    note(note) {
      if (stopped) return;
      const chars = JSON.stringify(note).length;
      notes.push({ note, chars });
      notesChars += chars;
      if (notesChars > LIMIT_NOTES_CHARS) {
        notes = [];
        notesChars = 0;
        areNotesLost = true;
      }
      kick();
    },
    taken() {
      if (isEmpty() || stopped) return Promise.resolve(!stopped);
      return stats.away ? Promise.resolve(false) : new Promise((resolve) => waiters.push(resolve));
    },
    lostNotes() {
      const were = areNotesLost;
      areNotesLost = false;
      return were;
    },
    wake: () => pause?.abort(),
    stop() {
      stopped = true;
      pause?.abort();
      answer(false);
    },
  };
}

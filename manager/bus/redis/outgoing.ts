import { setTimeout as sleep } from 'node:timers/promises';
import type { CommittedBatch } from '../../store/ports.ts';
import { type BusMessage, charsOf, encodeMessage, type Hint, linesOf } from './wire.ts';

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
  /** Redis may be back. */
  wake(): void;
  stop(): void;
  readonly stats: { sentLines: number; droppedLines: number; waitingChars: number; away: boolean };
}

const ENTRY_CHARS = 512 * 1024;
const MAX_HINTS = 5_000;
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
    const message: BusMessage = { batches, hints: [...hints.values()] };
    hints.clear();
    const lines = batches.reduce((sum, batch) => sum + linesOf(batch), 0);
    seq += 1;
    upTo += lines;
    return { seq, upTo, text: encodeMessage(message), lines };
  }

  async function run(): Promise<void> {
    let retryMs = RETRY_MS.first;
    while (!stopped && (sending !== null || waiting.length > 0 || hints.size > 0)) {
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
        pause = new AbortController();
        await sleep(retryMs, undefined, { signal: pause.signal }).catch(() => undefined);
        pause = null;
        retryMs = Math.min(RETRY_MS.most, retryMs * 2);
      }
    }
    running = false;
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
    wake: () => pause?.abort(),
    stop() {
      stopped = true;
      pause?.abort();
    },
  };
}

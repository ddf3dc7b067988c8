import { setTimeout as sleep } from 'node:timers/promises';
import type { Info } from '../line-of-info.ts';
import type { PlainInfo } from '../plain-info.ts';
import type { WaitingLine, WaitQueue } from './wait-queue.ts';
import type { NumberedLine, Written } from './write-script.ts';

export interface WriterDeps {
  queue: WaitQueue;
  send(lines: readonly NumberedLine[]): Promise<Written>;
  /** The first failure of each outage. */
  onTrouble(error: Error): void;
  /** A line that Redis will never take. */
  onRefused(line: NumberedLine, reason: string): void;
  onWritten(info: Info): void;
}

/** One batch under way at a time; what comes meanwhile is the next one. */
export interface Writer {
  /** There is something in the queue. */
  kick(): void;
  /** Redis may be back: do not wait for the next try. */
  wake(): void;
  /** True when everything taken so far is in Redis; false after `limitMs`. */
  flush(limitMs: number): Promise<boolean>;
  stop(): void;
}

const BATCH = { lines: 500, chars: 512 * 1024 };
const RETRY_MS = { first: 50, most: 1_000 };

interface Sending extends NumberedLine {
  info: Info | null;
}

export function createWriter({ queue, send, onTrouble, onRefused, onWritten }: WriterDeps): Writer {
  let sending: Sending[] = [];
  let nextSeq = 1;
  let running = false;
  let stopped = false;
  let isAway = false;
  let pause: AbortController | null = null;
  const idle = new Set<() => void>();

  /** The next lines, numbered; before them what says how many were given up. */
  function take(): Sending[] {
    const { lines, dropped } = queue.take(BATCH.lines, BATCH.chars);
    const told: WaitingLine[] = [...dropped].map(([level, { lines: count, firstMs, lastMs }]) => {
      const message = `${count} log lines were given up while Redis did not take them`;
      const info: PlainInfo = { tsMs: lastMs, level, message, fields: { dropped: count, firstMs, lastMs } };
      return { level, tsMs: lastMs, json: JSON.stringify(info), info: null };
    });
    return [...told, ...lines].map(({ level, json, info }) => ({ seq: nextSeq++, level, json, info }));
  }

  /** Sends until nothing is left of the batch, or throws. */
  async function sendBatch(): Promise<void> {
    const { upTo, refused } = await send(sending);
    const written = sending.filter((line) => line.seq <= upTo);
    sending = sending.slice(written.length);
    for (const { info } of written) if (info !== null) onWritten(info);
    if (refused === null) return;
    const [bad] = sending;
    // A key of another kind under the stream's name stays one: this line would hold up all others for ever.
    if (bad === undefined || !/WRONGTYPE/.test(refused)) throw new Error(refused);
    sending = sending.slice(1);
    onRefused(bad, refused);
  }

  async function run(): Promise<void> {
    let retryMs = RETRY_MS.first;
    while (!stopped && (sending.length > 0 || queue.length > 0 || queue.hasDropped)) {
      if (sending.length === 0) sending = take();
      try {
        await sendBatch();
        isAway = false;
        retryMs = RETRY_MS.first;
      } catch (error) {
        if (stopped) break;
        if (!isAway) onTrouble(error as Error);
        isAway = true;
        pause = new AbortController();
        await sleep(retryMs, undefined, { signal: pause.signal }).catch(() => undefined);
        pause = null;
        retryMs = Math.min(RETRY_MS.most, retryMs * 2);
      }
    }
    running = false;
    for (const done of [...idle]) done();
  }

  return {
    kick() {
      if (running || stopped) return;
      running = true;
      // What this turn of the event loop logs goes together.
      setImmediate(() => void run());
    },
    wake: () => pause?.abort(),
    flush(limitMs) {
      if (!running) return Promise.resolve(sending.length === 0 && queue.length === 0);
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          idle.delete(done);
          resolve(!running && sending.length === 0);
        };
        const timer = setTimeout(done, limitMs);
        idle.add(done);
      });
    },
    stop() {
      stopped = true;
      pause?.abort();
    },
  };
}

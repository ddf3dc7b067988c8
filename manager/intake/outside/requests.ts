import { WebvirtError } from '../../../common/errors.ts';
import type { NewLine } from '../../../common/model/line.ts';
import { ColumnBuilder } from '../../../common/wire/frames.ts';
import type { Chain } from './chain.ts';

/** Lines of one frame: bounds how long one commit takes, and with it how long the others wait for their turn. */
const LIMIT_FRAME_LINES = 10_000;
const LIMIT_FRAME_CHARACTERS = 8 * 1024 * 1024;
/** Of one sender; beyond it the sender keeps them. */
const LIMIT_WAITING_LINES = 50_000;

interface Waiting {
  lines: readonly NewLine[];
  resolve(): void;
  reject(error: WebvirtError): void;
}

/**
 * Lines of requests that wait for their answer. Each sender has a queue, and a frame takes one request of each in turn: a
 * sender that sends much waits behind itself. What cannot be stored now is given back as an error and not kept.
 */
export function createRequests(chain: Chain) {
  const queues = new Map<string, Waiting[]>();
  let running: Promise<void> | null = null;

  /** One request of each sender, as many as fit. Who was served goes behind the others. */
  function takeRound(): Waiting[] {
    const round: Waiting[] = [];
    let [lines, characters] = [0, 0];
    for (const [key, queue] of [...queues]) {
      const next = queue[0]!;
      const size = next.lines.reduce((sum, line) => sum + line.message.length, 0);
      const fits = lines + next.lines.length <= LIMIT_FRAME_LINES && characters + size <= LIMIT_FRAME_CHARACTERS;
      if (round.length > 0 && !fits) break;
      round.push(queue.shift()!);
      lines += next.lines.length;
      characters += size;
      queues.delete(key);
      if (queue.length > 0) queues.set(key, queue);
    }
    return round;
  }

  async function run(): Promise<void> {
    // What one turn of the event loop brings goes together.
    await Promise.resolve();
    while (queues.size > 0) {
      const round = takeRound();
      const builder = new ColumnBuilder();
      for (const { lines } of round) for (const line of lines) builder.add(line);
      if (await chain.send(chain.frame(builder.take()))) {
        for (const { resolve } of round) resolve();
        continue;
      }
      // Whether it was stored after all is not known: these numbers are never used again.
      chain.renew();
      const error = new WebvirtError('store-unavailable', 'The lines could not be stored now; send them again later.', {
        retryAfterMs: 1_000,
      });
      for (const { reject } of round) reject(error);
    }
    running = null;
  }

  return {
    /** Resolves when they are stored. Rejects with `store-unavailable` or `too-many-requests`. */
    add(key: string, lines: readonly NewLine[]): Promise<void> {
      const queue = queues.get(key) ?? [];
      const waiting = queue.reduce((sum, request) => sum + request.lines.length, 0);
      if (queue.length > 0 && waiting + lines.length > LIMIT_WAITING_LINES) {
        const why = 'Too many lines of this sender wait to be stored; send them again.';
        return Promise.reject(new WebvirtError('too-many-requests', why, { retryAfterMs: 1_000 }));
      }
      queues.set(key, queue);
      return new Promise((resolve, reject) => {
        queue.push({ lines, resolve, reject });
        running ??= run();
      });
    },
    async idle(): Promise<void> {
      await running;
    },
  };
}

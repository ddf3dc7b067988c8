import { dayOf } from './layout.ts';
import type { Session } from './session.ts';

const WRITE_AFTER_MS = 1_000;

export interface Tally {
  lines: number;
  bytes: number;
}

/**
 * Lines and bytes per bucket, for the sizes that people read. They are written up to a second after the lines: a crash may
 * cost that second of the count, never of the lines.
 */
export class Tallies {
  readonly #session: Session;
  readonly #writer: string;
  readonly #ttl: number;
  #open = new Map<number, Tally>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(session: Session, writer: string, ttl: number) {
    this.#session = session;
    this.#writer = writer;
    this.#ttl = ttl;
  }

  add(bucket: number, lines: number, bytes: number): void {
    const tally = this.#open.get(bucket) ?? { lines: 0, bytes: 0 };
    tally.lines += lines;
    tally.bytes += bytes;
    this.#open.set(bucket, tally);
    this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), WRITE_AFTER_MS).unref();
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const newest = Math.max(...this.#open.keys());
    for (const [bucket, { lines, bytes }] of this.#open) {
      const query = 'INSERT INTO tallies (day, bucket, writer, lines, bytes) VALUES (?, ?, ?, ?, ?) USING TTL ?';
      await this.#session.run(query, [dayOf(bucket), bucket, this.#writer, lines, bytes, this.#ttl]);
      if (bucket < newest) this.#open.delete(bucket);
    }
  }

  /** The sum of these days. */
  async sum(days: readonly number[]): Promise<Tally> {
    await this.flush();
    const sum = { lines: 0, bytes: 0 };
    for (const day of days)
      for await (const page of this.#session.pages('SELECT lines, bytes FROM tallies WHERE day = ?', [day], 5_000))
        for (const row of page) {
          sum.lines += Number(row['lines']);
          sum.bytes += Number(row['bytes']);
        }
    return sum;
  }
}

import type { Session } from './session.ts';

/** Names one append of one writer: a writer is a manager from its start to its end, and counts its appends. */
export interface AppendMark {
  writer: string;
  append: number;
}

const LIMIT_STORED = 100_000;

/**
 * Which stored rows count. Lines are written before the cursors that make them stored; when the cursors could not be
 * moved, what was written is void and is never shown, and its numbers come again.
 */
export class Voids {
  readonly #session: Session;
  readonly #own: string;
  #known = new Set<string>();
  /** How far epochs are stored, as far as somebody asked: they only grow. */
  #stored = new Map<string, number>();
  /** The newest own append that has ended: later ones are under way. */
  ended = 0;

  constructor(session: Session, own: string) {
    this.#session = session;
    this.#own = own;
  }

  counts(writer: string, append: number, agent: string, epoch: string): boolean {
    if (writer === this.#own && append > this.ended) return false;
    return this.#known.size === 0 || !this.#known.has(`${writer} ${append} ${agent} ${epoch}`);
  }

  /**
   * True when a block that another run wrote is stored: the cursor has passed it. While it has not the other is still at
   * it, or was killed there.
   */
  async isStored(writer: string, agent: string, epoch: string, first: number): Promise<boolean> {
    const key = `${agent} ${epoch}`;
    if (writer === this.#own || first < (this.#stored.get(key) ?? 0)) return true;
    const query = 'SELECT next FROM cursors WHERE agent = ? AND epoch = ?';
    const [row] = await this.#session.run(query, [agent, epoch]);
    const next = Number(row?.['next'] ?? 0);
    if (this.#stored.size >= LIMIT_STORED) this.#stored.clear();
    this.#stored.set(key, next);
    return first < next;
  }

  async add({ writer, append }: AppendMark, agent: string, epoch: string, ttl: number): Promise<void> {
    const query = 'INSERT INTO voids (part, writer, append, agent, epoch) VALUES (0, ?, ?, ?, ?) USING TTL ?';
    await this.#session.run(query, [writer, append, agent, epoch, ttl]);
    this.#known.add(`${writer} ${append} ${agent} ${epoch}`);
  }

  /** Reads what other managers made void: a read begins with it. */
  async refresh(): Promise<void> {
    const query = 'SELECT writer, append, agent, epoch FROM voids WHERE part = 0';
    for await (const page of this.#session.pages(query, [], 5_000))
      for (const row of page) this.#known.add(`${row['writer']} ${row['append']} ${row['agent']} ${row['epoch']}`);
  }
}

import { randomBytes } from 'node:crypto';
import { WebvirtError } from '../../../common/errors.ts';
import { columnsOf } from '../line-columns.ts';
import type { LineBatch } from '../ports.ts';
import type { Row, Session } from './session.ts';
import type { AppendMark } from './voids.ts';

/** How far one (agent, epoch) is stored, and what became of its numbers. */
export interface Cursor {
  epoch: string;
  next: number;
  hash: string;
  host: string;
  hostName: string;
  startedMs: number;
  lines: number;
  lost: number;
  firstMs: number;
  lastMs: number;
}

/** What one append does to one (agent, epoch). */
export interface Move {
  agent: string;
  /** The number at which the epoch must stand; null: it must not be there. */
  from: number | null;
  to: Cursor;
}

const COLUMNS = 'agent, epoch, next, hash, host, host_name, started_ms, lines, lost, first_ms, last_ms, lasts, fence';

/**
 * The cursors. A cursor moves by a comparison in Cassandra ("if it still stands at 17"): of two managers that hold the
 * same agent only one moves it, and the other learns that it must read again. It is written after its lines.
 */
export class Cursors {
  readonly #session: Session;
  readonly #manager: string;
  #known = new Map<string, Map<string, Cursor>>();
  #fences = new Map<string, string | null>();

  constructor(session: Session, manager: string) {
    this.#session = session;
    this.#manager = manager;
  }

  /** Oldest epoch first. Reads them if they are not known. */
  async of(agent: string): Promise<Map<string, Cursor>> {
    let epochs = this.#known.get(agent);
    if (epochs === undefined) {
      epochs = new Map();
      const rows = await this.#session.decide(`SELECT ${COLUMNS} FROM cursors WHERE agent = ?`, [agent]);
      for (const row of rows) this.#fences.set(`${agent} ${row['epoch']}`, row['fence'] as string | null);
      for (const cursor of cursorsIn(rows).sort((a, b) => a.startedMs - b.startedMs)) epochs.set(cursor.epoch, cursor);
      this.#known.set(agent, epochs);
    }
    return epochs;
  }

  forget(agent: string): void {
    this.#known.delete(agent);
  }

  /**
   * What the batches do to the cursors. Refuses batches that do not go on exactly where their epoch ended: this is what
   * keeps every number stored once when the caller is wrong about what was there.
   */
  async movesOf(batches: readonly LineBatch[]): Promise<Move[]> {
    const moves = new Map<string, Move>();
    for (const batch of batches) {
      const { agent, epoch, first, count, hash, host, hostName, receivedMs } = batch;
      const key = `${agent} ${epoch}`;
      const known = (await this.of(agent)).get(epoch);
      const at = moves.get(key)?.to ?? known;
      const next = at?.next ?? 0;
      if (first !== next || count <= 0) {
        const place = { agent, epoch, first, next };
        throw new WebvirtError('internal', 'A batch does not go on where its epoch ended', place);
      }
      const lost = batch.gap === null ? 0 : count;
      moves.set(key, {
        agent,
        from: known?.next ?? null,
        to: {
          ...{ epoch, next: first + count, hash, host, hostName, lastMs: receivedMs },
          startedMs: at?.startedMs ?? receivedMs,
          firstMs: at?.firstMs ?? receivedMs,
          lines: (at?.lines ?? 0) + (lost > 0 ? 0 : columnsOf(batch).n),
          lost: (at?.lost ?? 0) + lost,
        },
      });
    }
    return [...moves.values()];
  }

  /** Moves one cursor; false when it did not stand where we thought. Rejects when nobody knows what became of it. */
  async move({ agent, from, to }: Move, mark: AppendMark): Promise<boolean> {
    const [answer] = await this.#session.decide(
      `UPDATE cursors SET next = ?, hash = ?, host = ?, host_name = ?, started_ms = ?, lines = ?, lost = ?, first_ms = ?,
         last_ms = ?, lasts[?] = ? WHERE agent = ? AND epoch = ? IF next = ? AND fence = ?`,
      [
        ...[to.next, to.hash, to.host, to.hostName, Math.round(to.startedMs), to.lines, to.lost],
        ...[Math.round(to.firstMs), Math.round(to.lastMs), this.#manager, wordOf(mark), agent, to.epoch, from],
        this.#fences.get(`${agent} ${to.epoch}`) ?? null,
      ],
    );
    if (answer?.['[applied]'] !== true) return false;
    this.#known.get(agent)?.set(to.epoch, to);
    return true;
  }

  /**
   * Ends what is not known: true when this append has moved the cursor. False: it has not, and now it never will, even if its
   * request still waits somewhere on the way: it compares the fence too, and that is another one from here on.
   */
  async stop(agent: string, epoch: string, mark: AppendMark): Promise<boolean> {
    this.forget(agent);
    for (;;) {
      const query = 'SELECT next, lasts, fence FROM cursors WHERE agent = ? AND epoch = ?';
      const [row] = await this.#session.decide(query, [agent, epoch]);
      if ((row?.['lasts'] as Record<string, string> | null | undefined)?.[this.#manager] === wordOf(mark)) return true;
      const [answer] = await this.#session.decide(
        'UPDATE cursors SET fence = ? WHERE agent = ? AND epoch = ? IF next = ? AND fence = ?',
        [randomBytes(8).toString('hex'), agent, epoch, row?.['next'] ?? null, row?.['fence'] ?? null],
      );
      if (answer?.['[applied]'] === true) return false;
    }
  }

  async all(agent?: string): Promise<(Cursor & { agent: string })[]> {
    const where = agent === undefined ? '' : ' WHERE agent = ?';
    const found: (Cursor & { agent: string })[] = [];
    for await (const page of this.#session.pages(
      `SELECT ${COLUMNS} FROM cursors${where}`,
      agent === undefined ? [] : [agent],
      1_000,
    ))
      for (const row of page)
        for (const cursor of cursorsIn([row])) found.push({ agent: String(row['agent']), ...cursor });
    return found;
  }
}

function wordOf({ writer, append }: AppendMark): string {
  return `${writer}:${append}`;
}

/** A row that has a fence alone is no cursor yet. */
function cursorsIn(rows: readonly Row[]): Cursor[] {
  return rows.filter((row) => row['next'] !== null).map(cursorOf);
}

function cursorOf(row: Row): Cursor {
  return {
    epoch: String(row['epoch']),
    next: Number(row['next']),
    hash: String(row['hash']),
    host: String(row['host']),
    hostName: String(row['host_name']),
    startedMs: Number(row['started_ms']),
    lines: Number(row['lines']),
    lost: Number(row['lost']),
    firstMs: Number(row['first_ms']),
    lastMs: Number(row['last_ms']),
  };
}

import type { Line } from '../../../common/model/line.ts';
import type { LinesBatch } from '../../../common/wire/live.ts';
import { Emitter } from './emitter.ts';
import { LateRows } from './late-rows.ts';
import { isMarker, LineRing, type Marker, type StreamRow } from './line-ring.ts';
import { settleRows } from './settle-rows.ts';

/** How far back a resumed backlog is searched for lines that are here already. */
const OVERLAP_REACH = 6_000;

/**
 * The lines a stream shows: a ring, the position behind its newest line, and what went wrong.
 * Events: `rows` (something was appended; once per batch), `reshape` (rows were put in elsewhere), `state`.
 */
export class LineWindow extends Emitter {
  readonly ring: LineRing;
  position: string | null = null;
  /** False until the backlog (or the first page) is here. */
  ready = false;
  error: { code: string; message: string } | null = null;
  /** Rows ever appended: the difference of two readings is "N new". */
  appended = 0;
  /** The rows of the latest `rows` event. */
  added: readonly StreamRow[] = [];
  #late: LateRows | null = null;
  /** Rows below this number stay where they are: a reader who paused has them before them. */
  #stillTo = 0;
  /** The line that arrived last; another may stand behind it. */
  #lastId: string | null = null;

  constructor(capacity: number) {
    super();
    this.ring = new LineRing(capacity);
  }

  opened(position: string | null): void {
    this.error = null;
    this.ready = true;
    this.position ??= position;
    this.trigger('state');
  }

  fail(code: string, message: string): void {
    this.error = { code, message };
    this.ready = true;
    this.trigger('state');
  }

  addBatch(batch: LinesBatch): void {
    const rows: StreamRow[] = [];
    const resumed = batch.backlog === true && this.ring.length > 0;
    let lines = batch.lines;
    if (resumed) {
      const known = this.#knownPrefix(lines);
      if (known === null) rows.push(this.#marker('break', 0, 'The stream was resumed here', lines[0]));
      else lines = lines.slice(known);
    }
    if (batch.skipped > 0) rows.push(this.#marker('skipped', batch.skipped, 'skipped: this view was slow', lines[0]));
    for (const line of lines) rows.push(line);
    this.position = batch.position;
    this.#closeMarkers(lines[0]);
    if (rows.length === 0 && !batch.backlog) return;
    this.ready = true;
    this.appended += rows.length;
    const taken = this.#late === null ? rows : this.#late.take(this.ring, rows);
    this.ring.push(settleRows(this.ring, taken, this.#stillTo));
    this.added = taken;
    this.#lastId = lines.at(-1)?.id ?? this.#lastId;
    this.trigger('rows', lines, resumed ? false : batch.backlog === true);
  }

  /**
   * While a reader has paused, a full window pushes nothing out: what comes is counted, and the newest of it kept aside.
   * Let go, it follows behind a marker that can load what lies between.
   */
  hold(on: boolean): void {
    if (on) {
      if (this.#late === null) this.#stillTo = this.ring.end;
      this.#late ??= new LateRows();
      return;
    }
    const rows = this.#late?.rest(this.newestLine()?.tsMs ?? null) ?? [];
    this.#late = null;
    // What was read keeps its place when the reader goes on below it, too.
    if (rows.length === 0) return;
    this.ring.push(rows);
    this.added = rows;
    this.trigger('rows', [], false);
  }

  /** Puts a page of stored lines (oldest first) before the first row; returns how many found room. */
  addOlder(lines: readonly Line[]): number {
    const taken = this.ring.prepend(lines);
    this.ready = true;
    this.trigger('reshape', { before: taken });
    return taken;
  }

  /** Appends a page of stored lines (oldest first). */
  addNewer(lines: readonly Line[]): void {
    this.ring.push(lines);
    this.appended += lines.length;
    this.added = lines;
    this.trigger('rows', lines, false);
  }

  /** Puts stored lines (oldest first) where a marker stands; lines that are beside it already are left out. */
  fill(marker: Marker, lines: readonly Line[]): void {
    const number = this.ring.findBack((row) => row === marker, this.ring.length);
    if (number === null) return;
    const here = new Set<string>();
    for (let n = number - 1_000; n < number + 1_000; n += 1) {
      const row = this.ring.at(n);
      if (row !== undefined && !isMarker(row)) here.add(row.id);
    }
    this.ring.splice(
      number,
      lines.filter((line) => !here.has(line.id)),
    );
    this.trigger('reshape', { before: 0 });
  }

  changed(): void {
    this.trigger('reshape', { before: 0 });
  }

  clear(): void {
    this.ring.clear();
    this.#late = null;
    this.#stillTo = 0;
    this.#lastId = null;
    this.position = null;
    this.ready = false;
    this.error = null;
    this.trigger('reshape', { before: 0 });
  }

  newestLine(): Line | null {
    const number = this.ring.findBack((row) => !isMarker(row), 1_000);
    return number === null ? null : (this.ring.at(number) as Line);
  }

  oldestLine(): Line | null {
    for (let n = this.ring.first; n < this.ring.end; n += 1) {
      const row = this.ring.at(n)!;
      if (!isMarker(row)) return row;
    }
    return null;
  }

  /** How many lines at the start of a new backlog are here already; null when the two do not meet. */
  #knownPrefix(lines: readonly Line[]): number | null {
    const newest = this.newestLine();
    if (newest === null) return 0;
    const last = this.#lastId ?? newest.id;
    const index = lines.findIndex((line) => line.id === last);
    if (index >= 0) return index + 1;
    const first = lines[0];
    if (first === undefined) return 0;
    const met = this.ring.findBack((row) => !isMarker(row) && row.id === first.id, OVERLAP_REACH);
    return met === null ? null : this.ring.end - met;
  }

  #marker(marker: Marker['marker'], count: number, text: string, next: Line | undefined): Marker {
    return { marker, count, text, fromMs: this.newestLine()?.tsMs ?? null, toMs: next?.tsMs ?? null };
  }

  /** A marker at the very end learns where its hole ends when the next line comes. */
  #closeMarkers(next: Line | undefined): void {
    if (next === undefined) return;
    for (let n = this.ring.end - 1; n >= this.ring.first; n -= 1) {
      const row = this.ring.at(n)!;
      if (!isMarker(row)) return;
      row.toMs ??= next.tsMs;
    }
  }
}

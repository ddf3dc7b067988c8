import type { Death, NumberedEvent, OutputEvent, Session } from '../../../../common/model/compute.ts';
import { Emitter } from '../emitter.ts';
import { type Cell, draftCell, isBusy } from './cell.ts';
import { CellOutput } from './cell-output.ts';

/** Code that is not run yet, and behind which run it stands: 0 above all, null at the end. */
export interface Draft {
  after: number | null;
  code: string;
}

/**
 * A session as a notebook. Its cells and their output are made of the session's events alone, so that every viewer sees
 * the same; drafts and changed code are of this browser until they are run.
 * Events: `cell` (cell), `layout` (cells came, went, moved), `state`, `ready` (the past is here), `ended` (cell) when a
 * run is over, `draft` (typed code changed).
 */
export class Notebook extends Emitter {
  readonly id: string;
  cells: Cell[] = [];
  /** Number of the event that is expected next. */
  next = 0;
  /** What is kept of the past is here. */
  ready = false;
  session: Session | null = null;
  death: Death | null = null;
  error: { code: string; message: string } | null = null;
  /** Events of the past that were not kept any more. */
  lostEvents = 0;
  #serial = 0;
  /** Present events end here: what comes before it is history and announces nothing. */
  #historyEnd = 0;

  constructor(id: string, drafts: readonly Draft[] = []) {
    super();
    this.id = id;
    this.#drafts = drafts;
    this.#ensureDraft();
  }
  #drafts: readonly Draft[];

  opened(session: Session, firstSeq: number, nextSeq: number): void {
    this.session = session;
    this.error = null;
    if (session.death !== null) this.death = session.death;
    if (firstSeq > this.next) {
      this.lostEvents += firstSeq - this.next;
      this.next = firstSeq;
    }
    this.#historyEnd = Math.max(this.#historyEnd, nextSeq);
    this.#settle();
    this.trigger('state');
  }

  fail(code: string, message: string): void {
    this.error = { code, message };
    this.trigger('state');
  }

  /** Takes what comes next; what was here before is left out. False when events are missing before the first. */
  take(events: readonly NumberedEvent[]): boolean {
    const touched = new Set<Cell>();
    let missing = false;
    for (const { seq, tsMs, event } of events) {
      if (seq < this.next) continue;
      if (seq > this.next) {
        missing = true;
        break;
      }
      this.next = seq + 1;
      const cell = this.#apply(event, tsMs);
      if (cell !== null) touched.add(cell);
    }
    for (const cell of touched) this.trigger('cell', cell);
    this.#settle();
    return !missing;
  }

  find(key: string): Cell | undefined {
    return this.cells.find((cell) => cell.key === key);
  }

  running(): Cell | null {
    return this.cells.find(({ state }) => state === 'running') ?? null;
  }

  busyCells(): Cell[] {
    return this.cells.filter(isBusy);
  }

  setCode(cell: Cell, code: string): void {
    cell.code = code;
    this.trigger('draft');
  }

  /** A new empty cell behind (or before) another one. */
  insert(beside: Cell, before = false): Cell {
    const cell = this.#newCell();
    this.cells.splice(this.cells.indexOf(beside) + (before ? 0 : 1), 0, cell);
    this.trigger('layout');
    return cell;
  }

  /** Takes away a cell that was never run: what was run stays on the record. */
  drop(cell: Cell): void {
    if (cell.number !== null || isBusy(cell)) return;
    this.cells.splice(this.cells.indexOf(cell), 1);
    this.#ensureDraft();
    this.trigger('draft');
    this.trigger('layout');
  }

  /** It is on its way to the manager. What it told before is away at once, so that nobody takes it for the new run's. */
  sending(cell: Cell): { code: string; replaces?: number; after?: number } {
    const behind = this.placeOf(cell);
    const place = cell.number !== null ? { replaces: cell.number } : behind !== null ? { after: behind } : {};
    Object.assign(cell, { state: 'sending', refused: null, ranCode: cell.code, startedMs: null, elapsedMs: null });
    cell.output = new CellOutput();
    this.#ensureDraft();
    this.trigger('cell', cell);
    return { code: cell.code, ...place };
  }

  refuse(cell: Cell, message: string): void {
    if (cell.state !== 'sending') return;
    cell.state = cell.number === null ? 'draft' : 'interrupted';
    cell.refused = message;
    this.trigger('cell', cell);
  }

  drafts(): Draft[] {
    return this.cells
      .filter((cell) => cell.number === null && cell.state === 'draft' && cell.code.trim() !== '')
      .map((cell) => ({ after: this.placeOf(cell), code: cell.code }));
  }

  /** Where a draft stands: the number of the nearest run above it, 0 above all, null below all. */
  placeOf(cell: Cell): number | null {
    const at = this.cells.indexOf(cell);
    if (!this.cells.some(({ number, state }, index) => index > at && (number !== null || state === 'sending')))
      return null;
    return this.cells.slice(0, at).findLast(({ number }) => number !== null)?.number ?? 0;
  }

  #newCell(code = ''): Cell {
    this.#serial += 1;
    return draftCell(`k${this.#serial}`, code);
  }

  /** There is always a cell to type in at the end, as long as the session lives. */
  #ensureDraft(): void {
    const last = this.cells.at(-1);
    if (this.death !== null || (last !== undefined && last.number === null && last.state === 'draft')) return;
    this.cells.push(this.#newCell());
    this.trigger('layout');
  }

  /** Once the past is here, what this browser had typed and not run is put to its places. */
  #settle(): void {
    if (this.session === null || this.ready || this.next < this.#historyEnd) return;
    this.ready = true;
    for (const draft of this.#drafts) {
      this.cells.splice(this.#indexBehind(draft.after) ?? this.cells.length, 0, this.#newCell(draft.code));
    }
    // An empty draft that stood there for the meantime gives way to one with code.
    const empty = this.cells.findIndex(
      ({ number, state, code }) => number === null && state === 'draft' && code === '',
    );
    if (this.#drafts.length > 0 && empty >= 0) this.cells.splice(empty, 1);
    this.#ensureDraft();
    this.trigger('layout');
    this.trigger('state');
    this.trigger('ready');
  }

  #apply(event: OutputEvent, tsMs: number): Cell | null {
    if (event.type === 'died') {
      this.#die(event.death);
      return null;
    }
    if (event.type === 'input') return this.#input(event);
    const cell = this.cells.findLast(({ number }) => number === event.cell);
    // Output of an earlier run of a cell that was run again since.
    if (cell === undefined) return null;
    if (cell.output.take(event)) return cell;
    if (event.type === 'started') Object.assign(cell, { state: 'running', startedMs: tsMs });
    if (event.type === 'ended') {
      Object.assign(cell, { state: event.status, elapsedMs: event.elapsedMs });
      if (this.ready) this.trigger('ended', cell);
    }
    return cell;
  }

  #input(event: Extract<OutputEvent, { type: 'input' }>): Cell {
    const cell = this.#cellFor(event);
    const own = cell.state === 'sending' && cell.ranCode === event.code;
    const typed = cell.number !== null && !own && cell.code !== cell.ranCode && cell.code !== event.code;
    if (!own) cell.output = new CellOutput();
    if (!own && !typed) cell.code = event.code;
    cell.runs.push(event.cell);
    Object.assign(cell, { number: event.cell, ranCode: event.code, actor: event.actor, state: 'queued' });
    Object.assign(cell, { startedMs: null, elapsedMs: null, refused: null, overtaken: typed });
    this.#ensureDraft();
    this.trigger('layout');
    return cell;
  }

  /** The place of a run: the cell it runs again, the one we have just sent, or a new one where it belongs. */
  #cellFor({ replaces, after, code }: Extract<OutputEvent, { type: 'input' }>): Cell {
    const again = replaces === undefined ? undefined : this.cells.find(({ runs }) => runs.includes(replaces));
    if (again !== undefined) return again;
    const sent = this.cells.find((cell) => cell.state === 'sending' && cell.ranCode === code);
    if (sent !== undefined) return sent;
    const cell = this.#newCell();
    // Without a place: behind everything that was run, before the drafts at the end.
    const last = this.cells.findLastIndex(({ number, state }) => number !== null || state === 'sending');
    this.cells.splice(this.#indexBehind(after ?? null) ?? last + 1, 0, cell);
    return cell;
  }

  /** Index of the place behind a run; null where there is no such run. */
  #indexBehind(run: number | null): number | null {
    if (run === null) return null;
    const at = this.cells.findIndex(({ runs }) => runs.includes(run));
    return run === 0 || at >= 0 ? at + 1 : null;
  }

  #die(death: Death): void {
    this.death = death;
    for (const cell of this.cells) {
      if (!isBusy(cell)) continue;
      cell.state = 'died';
      this.trigger('cell', cell);
      if (this.ready) this.trigger('ended', cell);
    }
    this.cells = this.cells.filter(({ number, state, code }) => number !== null || state !== 'draft' || code !== '');
    this.trigger('layout');
    this.trigger('state');
  }
}

import type { Line } from '../../../common/model/line.ts';

/** A row of a stream that is not a line: something the reader must know about the lines around it. */
export interface Marker {
  marker: 'skipped' | 'break' | 'connection';
  /** Lines it stands for; 0 where the number is not known. */
  count: number;
  text: string;
  /** Where to look for what is missing: times of the neighbours, null when there is none yet. */
  fromMs: number | null;
  toMs: number | null;
  loading?: boolean;
}

export type StreamRow = Line | Marker;

export function isMarker(row: StreamRow): row is Marker {
  return 'marker' in row;
}

/**
 * Rows in order with a cap: the newest push out the oldest. A row keeps its number (`first` … `end - 1`) as long as
 * it is held, so that a view can tell which rows moved and which did not. Numbers may be negative after `prepend`.
 */
export class LineRing {
  readonly capacity: number;
  first = 0;
  end = 0;
  #rows: (StreamRow | undefined)[];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#rows = new Array(capacity);
  }

  get length(): number {
    return this.end - this.first;
  }

  at(number: number): StreamRow | undefined {
    return number < this.first || number >= this.end ? undefined : this.#rows[this.#slot(number)];
  }

  /** Appends rows, newest last. Returns how many old rows were pushed out. */
  push(rows: readonly StreamRow[]): number {
    for (const row of rows) {
      this.#rows[this.#slot(this.end)] = row;
      this.end += 1;
    }
    const dropped = Math.max(0, this.length - this.capacity);
    this.first += dropped;
    return dropped;
  }

  /** Takes the newest row out. */
  pop(): StreamRow | undefined {
    if (this.length === 0) return undefined;
    this.end -= 1;
    return this.#rows[this.#slot(this.end)];
  }

  /** Puts older rows (oldest first) before the first one, as many of the newest as there is room for; returns how many. */
  prepend(rows: readonly StreamRow[]): number {
    const taken = Math.min(rows.length, this.capacity - this.length);
    for (let index = 0; index < taken; index += 1) {
      this.first -= 1;
      this.#rows[this.#slot(this.first)] = rows[rows.length - 1 - index];
    }
    return taken;
  }

  /** Replaces one row by several; rows behind it get new numbers. Costs the rows behind it: for clicks, not for streams. */
  splice(number: number, rows: readonly StreamRow[]): void {
    const tail: StreamRow[] = [];
    for (let n = number + 1; n < this.end; n += 1) tail.push(this.at(n)!);
    this.end = number;
    this.push(rows);
    this.push(tail);
  }

  /** Number of the newest row that satisfies the test, looking back at most `reach` rows; null when there is none. */
  findBack(test: (row: StreamRow) => boolean, reach: number): number | null {
    for (let n = this.end - 1; n >= Math.max(this.first, this.end - reach); n -= 1) {
      if (test(this.at(n)!)) return n;
    }
    return null;
  }

  clear(): void {
    this.first = 0;
    this.end = 0;
    this.#rows = new Array(this.capacity);
  }

  #slot(number: number): number {
    const rest = number % this.capacity;
    return rest < 0 ? rest + this.capacity : rest;
  }
}

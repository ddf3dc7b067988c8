import type { Line } from '../../../common/model/line.ts';
import { Emitter } from './emitter.ts';
import { isMarker, LineRing, type StreamRow } from './line-ring.ts';
import type { LineWindow } from './line-window.ts';
import { isSpecial } from './special-line.ts';

/** How often a line came in a row: it stands for all of them while it is folded. */
export interface Repeats {
  count: number;
  /** Time of the first of them; the line itself is the newest. */
  firstMs: number;
  /** Id of the first of them: names the group while lines come. */
  key: string;
  open: boolean;
}

/** A line that stands for several. It is a line everywhere else. */
export type FoldedLine = Line & { repeats?: Repeats };

/**
 * The rows that a stream draws: the window as it is, or with repeated lines folded into one. Same events as the window:
 * `rows`, `reshape`, `state`.
 */
export class ShownRows extends Emitter {
  readonly window: LineWindow;
  #folded: LineRing | null = null;
  #open = new Set<string>();

  constructor(window: LineWindow) {
    super();
    this.window = window;
    window.on('rows', (...given: unknown[]) => {
      if (this.#folded !== null) this.#append(this.#folded, window.added);
      this.trigger('rows', ...given);
    });
    window.on('reshape', (change: { before: number }) => {
      if (this.#folded === null) this.trigger('reshape', change);
      else this.#rebuild();
    });
    window.on('state', () => this.trigger('state'));
  }

  get ring(): LineRing {
    return this.#folded ?? this.window.ring;
  }

  get folding(): boolean {
    return this.#folded !== null;
  }

  fold(on: boolean): void {
    if (on === this.folding) return;
    this.#folded = on ? new LineRing(this.window.ring.capacity) : null;
    this.#open.clear();
    if (on) this.#rebuild();
    else this.trigger('reshape', { before: 0, anew: true });
  }

  /** Shows each line of a group, or folds them again. */
  toggle(key: string): void {
    if (!this.#open.delete(key)) this.#open.add(key);
    this.#rebuild();
  }

  /** Number of the row that shows this line; null when it is not here. */
  numberOf(id: string): number | null {
    return this.ring.findBack((row) => !isMarker(row) && row.id === id, this.ring.length);
  }

  #rebuild(): void {
    const { ring } = this.window;
    const folded = this.#folded!;
    const lengthBefore = folded.length;
    folded.clear();
    this.#append(folded, rowsOf(ring));
    this.trigger('reshape', { before: Math.max(0, folded.length - lengthBefore), anew: true });
  }

  /** Takes the last row out, joins to it what repeats it, and puts the rest behind. */
  #append(folded: LineRing, rows: Iterable<StreamRow>): void {
    const fresh: StreamRow[] = [];
    let last = folded.pop();
    for (const row of rows) {
      if (last === undefined || isMarker(row) || isMarker(last) || !alike(last, row)) {
        if (last !== undefined) fresh.push(last);
        last = row;
        continue;
      }
      const before = of(last);
      const repeats = { ...before, count: before.count + 1, open: this.#open.has(before.key) };
      if (repeats.open) fresh.push(last);
      last = { ...row, repeats } as FoldedLine;
    }
    if (last !== undefined) fresh.push(last);
    folded.push(fresh);
  }
}

function of(line: FoldedLine): Repeats {
  return line.repeats ?? { count: 1, firstMs: line.tsMs, key: line.id, open: false };
}

function alike(a: Line, b: Line): boolean {
  return (
    a.message === b.message &&
    a.level === b.level &&
    a.source === b.source &&
    a.host === b.host &&
    a.unit === b.unit &&
    a.instance === b.instance &&
    !isSpecial(b)
  );
}

function* rowsOf(ring: LineRing): Iterable<StreamRow> {
  for (let n = ring.first; n < ring.end; n += 1) yield ring.at(n)!;
}

import type { SharedStore } from '../store/ports.ts';

/**
 * How far a viewer was told: an arrival number of our own store and, where other managers store into it too, the last one
 * of each of them that was heard. As text the numbers stand with dots between them, our own first.
 */
export type Place = readonly number[];

const PLACE = /^\d{1,16}(\.\d{1,16}){0,15}$/;

/** Null for what is no place. */
export function readPlace(text: string | undefined): Place | null {
  if (text === undefined || !PLACE.test(text)) return null;
  const numbers = text.split('.').map(Number);
  return numbers.every(Number.isSafeInteger) ? numbers : null;
}

export function placeText(own: number, others: Place): string {
  return [own, ...others].join('.');
}

/** Our own number and those of the others. Another manager may have written it: then ours stands behind, or is not there. */
export function splitPlace(
  place: Place,
  shared: SharedStore | undefined,
  newestOwn: number,
): { own: number | null; others: Place } {
  if (shared === undefined) return { own: place[0] ?? null, others: [] };
  const isOwn = (ordinal: number) => shared.laneOf(ordinal) === shared.laneOf(newestOwn);
  return { own: place.find(isOwn) ?? null, others: place.filter((ordinal) => ordinal > 0 && !isOwn(ordinal)) };
}

/** The last number of each of the other managers. */
export class OtherPlaces {
  readonly #byLane = new Map<number, number>();
  #list: Place = [];

  get list(): Place {
    return this.#list;
  }

  reach(shared: SharedStore, ordinals: Iterable<number>): void {
    for (const ordinal of ordinals) {
      const lane = shared.laneOf(ordinal);
      if (ordinal > (this.#byLane.get(lane) ?? 0)) this.#byLane.set(lane, ordinal);
    }
    this.#list = [...this.#byLane.values()];
  }

  has(shared: SharedStore, ordinal: number): boolean {
    return ordinal <= (this.#byLane.get(shared.laneOf(ordinal)) ?? 0);
  }
}

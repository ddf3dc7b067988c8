/**
 * An order of rows that does not move under the pointer. While held, rows keep their places: gone ones stay (marked by
 * the view), new ones wait, and moves are counted. Let go, it takes the order as it is now.
 */
export class StillOrder {
  shown: readonly string[] = [];
  #now: readonly string[] = [];
  #held = false;

  get held(): boolean {
    return this.#held;
  }

  /** Tells the true order; returns true when what is shown changed. */
  set(now: readonly string[]): boolean {
    this.#now = now;
    if (this.#held && this.shown.length > 0) return false;
    return this.#take();
  }

  hold(): void {
    this.#held = true;
  }

  /** Returns true when what is shown changed. */
  release(): boolean {
    this.#held = false;
    return this.#take();
  }

  /** Takes the true order although it is held: the reader asked for it. */
  refresh(): boolean {
    return this.#take();
  }

  /** What waits: rows that came, and whether others would move or go. */
  waiting(): { fresh: number; moved: boolean } {
    if (!this.#held) return { fresh: 0, moved: false };
    const shown = new Set(this.shown);
    const fresh = this.#now.filter((id) => !shown.has(id)).length;
    const kept = this.#now.filter((id) => shown.has(id));
    const moved = kept.length !== this.shown.length || kept.some((id, index) => id !== this.shown[index]);
    return { fresh, moved };
  }

  #take(): boolean {
    const same = this.#now.length === this.shown.length && this.#now.every((id, index) => id === this.shown[index]);
    this.shown = this.#now;
    return !same;
  }
}

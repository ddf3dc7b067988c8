/** Waits that double from `firstMs` to `longestMs`, each between half and all of it so that many hosts do not try in step. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: () => number;
  #nextMs: number;

  constructor(firstMs: number, longestMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#random = random;
    this.#nextMs = firstMs;
  }

  next(): number {
    const waitMs = this.#nextMs * (0.5 + this.#random() / 2);
    this.#nextMs = Math.min(this.#longestMs, this.#nextMs * 2);
    return waitMs;
  }

  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}

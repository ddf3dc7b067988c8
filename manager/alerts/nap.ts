export interface Nap {
  /** Resolves after `ms` milliseconds, or when it is ended before that. */
  rest(ms: number): Promise<void>;
  /** Ends the rest that is under way; does nothing when none is. */
  end(): void;
}

/** A pause of a loop that something to do cuts short. */
export function createNap(): Nap {
  let end: (() => void) | null = null;
  return {
    rest: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        end = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    end: () => end?.(),
  };
}

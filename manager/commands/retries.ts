/** Work that a full disk keeps from being written is done again, and ends neither a link nor the manager. */
export interface Retries {
  /** Does the work now; when it throws, again with the next `again`. Newer work under the same name replaces it. */
  attempt(name: string, work: () => void): void;
  /** Tries what failed once more. */
  again(): void;
}

/** `onFailed` is told of the first failure after all was well. */
export function createRetries(onFailed: (error: unknown) => void): Retries {
  const failed = new Map<string, () => void>();

  function attempt(name: string, work: () => void): void {
    failed.delete(name);
    try {
      work();
    } catch (error) {
      if (failed.size === 0 && !retrying) onFailed(error);
      failed.set(name, work);
    }
  }

  let retrying = false;
  return {
    attempt,
    again() {
      retrying = true;
      for (const [name, work] of [...failed]) attempt(name, work);
      retrying = false;
    },
  };
}

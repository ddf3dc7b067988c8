export interface Part {
  name: string;
  stop(): void | Promise<void>;
}

/**
 * Stops parts one after another, the one that was started last first. A part that does not stop within its time, or fails
 * to, is named and left: the others are stopped all the same.
 */
export async function stopInOrder(
  started: readonly Part[],
  limitMs: number,
  report: (problem: { part: string; reason: string }) => void,
): Promise<void> {
  for (const part of [...started].reverse()) {
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      limit = setTimeout(() => resolve('late'), limitMs);
    });
    try {
      const end = await Promise.race([Promise.resolve(part.stop()), late]);
      if (end === 'late') report({ part: part.name, reason: `did not stop within ${limitMs} ms` });
    } catch (error) {
      report({ part: part.name, reason: error instanceof Error ? error.message : String(error) });
    } finally {
      clearTimeout(limit);
    }
  }
}

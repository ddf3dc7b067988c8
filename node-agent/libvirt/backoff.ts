const FIRST_MS = 200;
const MOST_MS = 5_000;

/** How long to wait before try number `failures` + 1: doubling from 0.2 s to 5 s, spread by a quarter. */
export function backoffMs(failures: number): number {
  const plain = Math.min(MOST_MS, FIRST_MS * 2 ** Math.max(0, Math.min(failures - 1, 10)));
  return plain * (0.75 + Math.random() / 4);
}

/**
 * Resolves with the answer of `/readyz` once it is 200. A start waits for its parts for less than a second: on a busy
 * machine the console is there before the store of lines is.
 */
export async function managerIsReady(url: string): Promise<unknown> {
  for (;;) {
    const answer = await fetch(`${url}/readyz`);
    const told: unknown = await answer.json();
    if (answer.status === 200) return told;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

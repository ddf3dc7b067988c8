const waiting = new Map<object, () => void>();
let asked = false;

function flush(): void {
  asked = false;
  const jobs = [...waiting.values()];
  waiting.clear();
  for (const job of jobs) job();
}

/** Runs `job` in the next animation frame; asking again for the same owner before that costs nothing. */
export function inFrame(owner: object, job: () => void): void {
  waiting.set(owner, job);
  if (asked) return;
  asked = true;
  requestAnimationFrame(flush);
}

/** Forgets what the owner had asked for. */
export function cancelFrame(owner: object): void {
  waiting.delete(owner);
}

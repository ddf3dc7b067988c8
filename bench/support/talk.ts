/** How many calls in a millisecond, and for how long. */
export interface TalkOrder {
  perMs: number;
  seconds: number;
}

/** Every line says its number, so that a page can tell how far it is, and the wall clock of its call in µs. */
export function talkText(number: number, callUs: number): string {
  return `bench ${number} ${callUs} qemu monitor event BLOCK_JOB_READY for device drive-virtio-disk0`;
}

/** Calls `say` evenly and resolves with the wall clock of each call in ms; calls that are late come at once. */
export function talk({ perMs, seconds }: TalkOrder, offsetMs: number, say: (text: string) => void): Promise<number[]> {
  const calls: number[] = [];
  const total = perMs * seconds * 1_000;
  const started = performance.now();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor((performance.now() - started) * perMs));
      while (calls.length < due) {
        const callMs = offsetMs + performance.now();
        say(talkText(calls.length, Math.round(callMs * 1_000)));
        calls.push(callMs);
      }
      if (calls.length < total) return;
      clearInterval(timer);
      resolve(calls);
    }, 1);
  });
}

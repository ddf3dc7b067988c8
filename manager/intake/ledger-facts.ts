import type { Bus } from '../bus/bus.ts';

const EVERY_MS = 1_000;
const LIMIT_REMEMBERED = 10_000;

/** Counts frames that came again, by epoch, since the start. */
export function createReplays() {
  const counts = new Map<string, number>();
  return {
    count(agent: string, epoch: string): void {
      if (counts.size >= LIMIT_REMEMBERED) counts.clear();
      const key = `${agent} ${epoch}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    of: (agent: string, epoch: string): number => counts.get(`${agent} ${epoch}`) ?? 0,
  };
}

/** Tells that the ledger reads otherwise, once a second at most while lines are stored. */
export function tickLedger(bus: Bus): { stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  const stopListening = bus.on('lines', () => {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      bus.emit('ledger', {});
    }, EVERY_MS);
    timer.unref();
  });
  return {
    stop() {
      stopListening();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

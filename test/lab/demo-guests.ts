import type { Lab } from './lab.ts';

const NAMES = ['web', 'db', 'cache', 'mail', 'build', 'queue'];

/** The name of the n-th guest, counted from 0: web-1, db-1 … queue-1, web-2 … */
export function guestName(index: number): string {
  return `${NAMES[index % NAMES.length]}-${1 + Math.floor(index / NAMES.length)}`;
}

/** Spreads guests over the hosts so that there is something to see; the last of several is defined but not started. */
export async function startDemoGuests(lab: Lab, count: number): Promise<void> {
  if (lab.hosts.length === 0) return;
  await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const host = lab.hosts[i % lab.hosts.length]!;
      return host.defineGuest({ name: guestName(i), running: count < 3 || i < count - 1 });
    }),
  );
}

import type { VirshEvent } from './virsh-event-line.ts';

/** Longer than a guest stands still when it is handed over, and short enough that nobody misses it in a list. */
const HANDS_OFF_MS = 250;

/**
 * While a guest stands still to be handed over each question keeps its libvirt, and with few CPUs its QEMU, from doing
 * just that: what its events tell is looked at when it runs again, or soon. `moving` knows by name who is under way.
 */
export function createHandover(moving: (name: string) => boolean = () => false, handsOffMs = HANDS_OFF_MS) {
  let letGo: () => void = () => undefined;

  const begins = ({ kind, readings }: VirshEvent) =>
    kind === 'lifecycle' &&
    readings.some(({ name, detail }) => /^(?:Suspended|Started) Migrated|^Defined/.test(detail) && moving(name));

  return {
    /** Events came: one that ends a hand-over ends the waiting. */
    heard(events: readonly VirshEvent[]): void {
      if (events.some(ends)) letGo();
    },
    /** Resolves when these events may be looked into. */
    calm(events: readonly VirshEvent[]): Promise<void> {
      if (!events.some(begins) || events.some(ends)) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, handsOffMs);
        letGo = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}

/** The guest runs on one side again, or no more on this one. */
function ends({ kind, readings }: VirshEvent): boolean {
  return kind === 'job-completed' || readings.some(({ detail }) => /^(?:Resumed|Stopped|Crashed)/.test(detail));
}

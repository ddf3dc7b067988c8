import type { EpochCursor, EpochRange } from '../../common/wire/link.ts';
import type { SettingStore } from '../store/ports.ts';

const name = (agent: string) => `announced:${agent}`;

/**
 * How far each agent said that its epochs go, kept over a restart: an agent that comes back without an epoch has lost
 * what lies between the store's cursor and the number it had announced.
 */
export class Announced {
  readonly #settings: SettingStore;
  readonly #byAgent = new Map<string, Map<string, number>>();

  constructor(settings: SettingStore) {
    this.#settings = settings;
  }

  /** What an agent announced before: first number not used yet, by epoch. */
  of(agent: string): Map<string, number> {
    let known = this.#byAgent.get(agent);
    if (known === undefined) {
      known = new Map(Object.entries(JSON.parse(this.#settings.get(name(agent)) ?? '{}') as Record<string, number>));
      this.#byAgent.set(agent, known);
    }
    return known;
  }

  /** Epochs that an agent holds, as it said last; the current one last. */
  epochs(agent: string): string[] {
    return [...this.of(agent).keys()];
  }

  /** An agent's frame reached up to `next`. */
  raise(agent: string, epoch: string, next: number): void {
    const known = this.of(agent);
    if (next > (known.get(epoch) ?? 0)) known.set(epoch, next);
  }

  /** The agent's own list replaces what was known. */
  replace(agent: string, epochs: readonly EpochRange[]): void {
    this.#byAgent.set(agent, new Map(epochs.map(({ epoch, next }) => [epoch, next])));
    this.save(agent);
  }

  save(agent: string): void {
    this.#settings.put(name(agent), JSON.stringify(Object.fromEntries(this.of(agent))));
  }
}

/** What vanished: numbers that were announced and never stored, of epochs that the agent does not have any more. */
export function vanishedParts(
  announced: ReadonlyMap<string, number>,
  cursors: readonly EpochCursor[],
  epochs: readonly EpochRange[],
): { epoch: string; first: number; next: number; hash: string | null }[] {
  const there = new Set(epochs.map(({ epoch }) => epoch));
  return [...announced].flatMap(([epoch, next]) => {
    const cursor = cursors.find((c) => c.epoch === epoch);
    const first = cursor?.next ?? 0;
    return there.has(epoch) || next <= first ? [] : [{ epoch, first, next, hash: cursor?.hash ?? null }];
  });
}

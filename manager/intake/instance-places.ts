import type { AgentInstance, Instance } from '../../common/model/instance.ts';

/** One instance as one host reports it. */
export interface Placed {
  host: string;
  instance: AgentInstance;
  changedMs: number;
  load: Instance['load'];
}

/**
 * Where each instance is. While it migrates, two hosts report the same one: the host that had it keeps it until the
 * other one says that it runs there and the first no longer does. A host cannot take another's instance by naming it.
 * Of two hosts that say it runs, the one that answers is believed; one that is off elsewhere never hides one that ran.
 */
export class InstancePlaces {
  readonly #byId = new Map<string, Map<string, Placed>>();
  readonly #chosen = new Map<string, string>();
  readonly #answers: (host: string) => boolean;

  /** `answers` tells whether a host is online now. */
  constructor(answers: (host: string) => boolean) {
    this.#answers = answers;
  }

  get(id: string): Placed | undefined {
    return this.#byId.get(id)?.get(this.#chosen.get(id) ?? '');
  }

  at(host: string, id: string): Placed | undefined {
    return this.#byId.get(id)?.get(host);
  }

  *all(): Iterable<Placed> {
    for (const id of this.#byId.keys()) {
      const placed = this.get(id);
      if (placed !== undefined) yield placed;
    }
  }

  idsAt(host: string): string[] {
    const ids: string[] = [];
    for (const [id, places] of this.#byId) if (places.has(host)) ids.push(id);
    return ids;
  }

  /** The other hosts that answer and say that it runs there: none, when all is well. */
  alsoRunningAt(host: string, id: string): string[] {
    const places = [...(this.#byId.get(id)?.values() ?? [])];
    return places
      .filter((placed) => placed.host !== host && placed.instance.state === 'running' && this.#answers(placed.host))
      .map((placed) => placed.host);
  }

  /** A host began or ceased to answer: what it has may now be believed more or less. */
  weigh(host: string): void {
    for (const id of this.idsAt(host)) this.#choose(id, this.#byId.get(id)!);
  }

  put(placed: Placed): void {
    const { id } = placed.instance;
    let places = this.#byId.get(id);
    if (places === undefined) {
      places = new Map();
      this.#byId.set(id, places);
    }
    places.set(placed.host, placed);
    this.#choose(id, places);
  }

  /** True when no host has it any more. */
  remove(host: string, id: string): boolean {
    const places = this.#byId.get(id);
    if (places === undefined) return false;
    const had = places.delete(host);
    if (places.size > 0) {
      this.#choose(id, places);
      return false;
    }
    this.#byId.delete(id);
    this.#chosen.delete(id);
    return had;
  }

  /** How many instances each host has. */
  counts(): Map<string, { instances: number; running: number }> {
    const counts = new Map<string, { instances: number; running: number }>();
    for (const { host, instance } of this.all()) {
      const count = counts.get(host) ?? { instances: 0, running: 0 };
      count.instances += 1;
      if (instance.state === 'running') count.running += 1;
      counts.set(host, count);
    }
    return counts;
  }

  #choose(id: string, places: Map<string, Placed>): void {
    let best = places.get(this.#chosen.get(id) ?? '');
    for (const placed of places.values()) {
      if (best === undefined || this.#rank(placed) > this.#rank(best)) best = placed;
    }
    if (best !== undefined) this.#chosen.set(id, best.host);
  }

  #rank({ host, instance }: Placed): number {
    return 2 * stateRank(instance.state) + (this.#answers(host) ? 1 : 0);
  }
}

function stateRank(state: AgentInstance['state']): number {
  if (state === 'running') return 2;
  return state === 'shutoff' || state === 'saved' || state === 'crashed' ? 0 : 1;
}

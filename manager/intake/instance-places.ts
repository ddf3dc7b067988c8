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
 */
export class InstancePlaces {
  readonly #byId = new Map<string, Map<string, Placed>>();
  readonly #chosen = new Map<string, string>();

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

  #choose(id: string, places: Map<string, Placed>): void {
    let best = places.get(this.#chosen.get(id) ?? '');
    for (const placed of places.values()) {
      if (best === undefined || rank(placed) > rank(best)) best = placed;
    }
    if (best !== undefined) this.#chosen.set(id, best.host);
  }
}

function rank({ instance }: Placed): number {
  if (instance.state === 'running') return 2;
  return instance.state === 'shutoff' || instance.state === 'saved' || instance.state === 'crashed' ? 0 : 1;
}

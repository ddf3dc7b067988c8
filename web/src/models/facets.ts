import { LEVELS } from '../../../common/model/words.ts';
import { Emitter } from './emitter.ts';
import type { Unreadable } from './unreadable.ts';

export interface FacetValue {
  value: string;
  count: number;
  /** What people read instead of the value. */
  name?: string;
  /** Field and value that a click filters by, where they are others than those of the facet. */
  term?: [field: string, value: string];
}

/** Fields that every line may have: always offered. */
export const USUAL_FACETS: readonly string[] = ['level', 'host', 'source', 'unit', 'instance'];
const LEVEL_ORDER = new Map<string, number>(LEVELS.map((level, index) => [level, index]));

/** What the facets of a stream ask the manager through. */
export interface FacetCalls {
  /** Counts of the most frequent values of each field, and what could not be read for them. */
  load(fields: readonly string[]): Promise<{ values: Map<string, FacetValue[]>; unreadable: readonly Unreadable[] }>;
}

/** Values of fields with their counts, for the fields that are open. Event: `change`. */
export class Facets extends Emitter {
  /** Null: asked for, and not here yet. */
  readonly values = new Map<string, FacetValue[] | null>();
  failed = false;
  /** What could not be read, as of the last answer. */
  unreadable: readonly Unreadable[] = [];
  /** Fields that lines of this stream carry, most frequent first. */
  seen: readonly string[] = [];
  #calls: FacetCalls;
  #open: Set<string>;
  #asked = 0;
  #closed = false;

  constructor(calls: FacetCalls, open: Iterable<string>) {
    super();
    this.#calls = calls;
    this.#open = new Set(open);
  }

  isOpen(field: string): boolean {
    return this.#open.has(field);
  }

  get open(): readonly string[] {
    return [...this.#open];
  }

  toggle(field: string): void {
    if (this.#open.delete(field)) this.trigger('change');
    else {
      this.#open.add(field);
      this.values.set(field, this.values.get(field) ?? null);
      this.trigger('change');
      void this.load([field]);
    }
  }

  /** Asks for the counts of these fields, or of all that are open. The last answer counts. */
  async load(fields: readonly string[] = this.open): Promise<void> {
    if (fields.length === 0 || this.#closed) return;
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const found = await this.#calls.load(fields);
      if (this.#closed || (asked !== this.#asked && fields.length > 1)) return;
      for (const field of fields) this.values.set(field, sorted(field, found.values.get(field) ?? []));
      this.unreadable = found.unreadable;
      this.failed = false;
    } catch {
      // The stream itself says why the manager cannot answer.
      this.failed = true;
    }
    if (!this.#closed) this.trigger('change');
  }

  saw(fields: readonly string[]): void {
    const more = fields.filter((field) => !USUAL_FACETS.includes(field));
    if (more.join('\n') === this.seen.join('\n')) return;
    this.seen = more;
    this.trigger('change');
  }

  close(): void {
    this.#closed = true;
  }
}

function sorted(field: string, values: readonly FacetValue[]): FacetValue[] {
  const known = values.filter(({ value }) => value !== '');
  if (field !== 'level') return known;
  return known.sort((a, b) => (LEVEL_ORDER.get(a.value) ?? 9) - (LEVEL_ORDER.get(b.value) ?? 9));
}

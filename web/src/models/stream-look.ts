import { Emitter } from './emitter.ts';

export type Density = 'compact' | 'normal' | 'roomy';
export type Times = 'local' | 'utc' | 'ago';

/** A column of a stream beside the message: a word of the line (`host`), or a path into its fields (`rtt.ms`). */
export interface Column {
  field: string;
  px: number;
}

export interface LookState {
  density: Density;
  /** Long messages take as many rows as they need. */
  wrap: boolean;
  /** Repeated lines become one with a count. */
  fold: boolean;
  times: Times;
  columns: readonly Column[];
  /** Whether facets stand beside the stream; null: as the window is wide enough. */
  facets: boolean | null;
  /** Whether the state of the fleet stands beside the stream, where there is room. */
  fleet: boolean;
  /** Fields whose facet is open. */
  openFacets: readonly string[];
  /** Lines kept in the window. */
  keepLines: number;
}

export const DENSITIES: readonly Density[] = ['compact', 'normal', 'roomy'];
export const TIMES: readonly Times[] = ['local', 'utc', 'ago'];
export const KEEPS: readonly number[] = [10_000, 100_000, 1_000_000];
export const MIN_COLUMN_PX = 24;
export const MAX_COLUMN_PX = 600;
const MAX_COLUMNS = 20;
const MOST_FACETS = 12;
const KEY = 'webvirt-stream';

export const DEFAULT_COLUMNS: readonly Column[] = [
  { field: 'time', px: 98 },
  { field: 'level', px: 18 },
  { field: 'host', px: 92 },
  { field: 'source', px: 66 },
  { field: 'instance', px: 96 },
];
const DEFAULTS: LookState = {
  density: 'normal',
  wrap: false,
  fold: false,
  times: 'local',
  columns: DEFAULT_COLUMNS,
  facets: null,
  fleet: true,
  openFacets: ['level', 'host', 'source', 'unit', 'instance'],
  keepLines: 100_000,
};

/** Width that a column begins with. */
export function startPx(field: string): number {
  return DEFAULT_COLUMNS.find((column) => column.field === field)?.px ?? 110;
}

/**
 * How streams look in this browser: kept over visits, the same on every page. An address may bring its own look, which
 * lasts until the reader changes something. Event: `change` with the names of what changed.
 */
export class StreamLook extends Emitter {
  #storage: Pick<Storage, 'getItem' | 'setItem'>;
  #state: LookState;

  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    super();
    this.#storage = storage;
    this.#state = { ...DEFAULTS, ...readKept(storage.getItem(KEY)) };
  }

  get state(): Readonly<LookState> {
    return this.#state;
  }

  set(change: Partial<LookState>): void {
    const columns = change.columns === undefined ? {} : { columns: cleanColumns(change.columns) };
    this.#state = { ...this.#state, ...change, ...columns };
    try {
      this.#storage.setItem(KEY, JSON.stringify(this.#state));
    } catch {
      // A full or forbidden storage: the look lasts as long as the page.
    }
    this.trigger('change', Object.keys(change));
  }

  /** Takes the look that an address brings (`cols`, `view`); what it does not name stays. Nothing is kept. */
  borrow(cols: string | undefined, view: string | undefined): void {
    const change: Partial<LookState> = {};
    if (cols !== undefined)
      change.columns = cleanColumns(cols.split(',').map((field) => ({ field, px: this.#widthOf(field) })));
    if (view !== undefined) {
      const words = new Set(view.split(','));
      change.wrap = words.has('wrap');
      change.fold = words.has('fold');
      change.density = DENSITIES.find((one) => words.has(one)) ?? 'normal';
      change.times = TIMES.find((one) => words.has(one)) ?? 'local';
    }
    this.#state = { ...this.#state, ...change };
    this.trigger('change', Object.keys(change));
  }

  /** The look as words of an address. */
  words(): { cols: string; view: string } {
    const { columns, wrap, fold, density, times } = this.#state;
    const view = [density, times, ...(wrap ? ['wrap'] : []), ...(fold ? ['fold'] : [])];
    return { cols: columns.map(({ field }) => field).join(','), view: view.join(',') };
  }

  has(field: string): boolean {
    return this.#state.columns.some((column) => column.field === field);
  }

  /** Adds a column behind the others, or takes it away. */
  toggleColumn(field: string): void {
    const { columns } = this.#state;
    if (this.has(field)) this.set({ columns: columns.filter((column) => column.field !== field) });
    else this.set({ columns: [...columns, { field, px: startPx(field) }] });
  }

  moveColumn(field: string, step: number): void {
    const columns = [...this.#state.columns];
    const at = columns.findIndex((column) => column.field === field);
    const to = at + step;
    if (at < 0 || to < 0 || to >= columns.length) return;
    columns.splice(to, 0, columns.splice(at, 1)[0]!);
    this.set({ columns });
  }

  sizeColumn(field: string, px: number): void {
    const width = Math.round(Math.min(MAX_COLUMN_PX, Math.max(MIN_COLUMN_PX, px)));
    this.set({
      columns: this.#state.columns.map((column) => (column.field === field ? { field, px: width } : column)),
    });
  }

  #widthOf(field: string): number {
    return this.#state.columns.find((column) => column.field === field)?.px ?? startPx(field);
  }
}

/** Columns that can be shown: named, each once, of a sane width; never more than a screen takes. */
function cleanColumns(columns: readonly Column[]): Column[] {
  const seen = new Set<string>(['message', '']);
  const clean: Column[] = [];
  for (const { field, px } of columns) {
    if (typeof field !== 'string' || field.length > 64 || seen.has(field) || clean.length >= MAX_COLUMNS) continue;
    seen.add(field);
    const width = Number.isFinite(px) ? px : startPx(field);
    clean.push({ field, px: field === 'level' ? 18 : Math.min(MAX_COLUMN_PX, Math.max(MIN_COLUMN_PX, width)) });
  }
  return clean;
}

const isName = (text: unknown) => typeof text === 'string' && text.length > 0 && text.length <= 64;

/** What an earlier visit kept, as far as it makes sense today. */
function readKept(text: string | null): Partial<LookState> {
  if (text === null) return {};
  try {
    const kept = JSON.parse(text) as Partial<LookState>;
    return {
      ...(DENSITIES.includes(kept.density!) ? { density: kept.density! } : {}),
      ...(TIMES.includes(kept.times!) ? { times: kept.times! } : {}),
      ...(typeof kept.wrap === 'boolean' ? { wrap: kept.wrap } : {}),
      ...(typeof kept.fold === 'boolean' ? { fold: kept.fold } : {}),
      ...(typeof kept.facets === 'boolean' ? { facets: kept.facets } : {}),
      ...(typeof kept.fleet === 'boolean' ? { fleet: kept.fleet } : {}),
      ...(Array.isArray(kept.openFacets) ? { openFacets: kept.openFacets.filter(isName).slice(0, MOST_FACETS) } : {}),
      ...(KEEPS.includes(kept.keepLines!) ? { keepLines: kept.keepLines! } : {}),
      ...(Array.isArray(kept.columns) ? { columns: cleanColumns(kept.columns) } : {}),
    };
  } catch {
    return {};
  }
}

import { type Dictionary, type LineColumns, valueAt } from '../../wire/frames.ts';
import type { ColumnField } from './query.ts';

/** What a matcher needs to know of one line. */
export interface QueryRow {
  readonly host: string;
  readonly hostName: string;
  readonly message: string;
  /** JSON text of the line's fields, or null. */
  readonly fields: string | null;
  column(name: ColumnField): string | undefined;
}

/**
 * Looks at the rows of one batch of columns, one after another, without making an object of any:
 * set `i` and hand the same `BatchRow` to the matcher again.
 */
export class BatchRow implements QueryRow {
  i = 0;
  readonly host: string;
  readonly hostName: string;
  readonly #agent: string;
  readonly #columns: LineColumns;

  constructor(origin: { agent: string; host: string; hostName: string }, columns: LineColumns) {
    this.#agent = origin.agent;
    this.host = origin.host;
    this.hostName = origin.hostName;
    this.#columns = columns;
  }

  get message(): string {
    return this.#columns.message[this.i] ?? '';
  }

  get fields(): string | null {
    return this.#columns.fields?.[this.i] ?? null;
  }

  column(name: ColumnField): string | undefined {
    if (name === 'agent') return this.#agent;
    const dictionary: Dictionary = this.#columns[name];
    return valueAt(dictionary, this.i);
  }
}

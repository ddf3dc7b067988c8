import type { MimeBundle, OutputEvent } from '../../../../common/model/compute.ts';
import { TextRun } from './text-run.ts';

/** One piece of what a cell brought, in order. `id` stays with it while it grows. */
export type OutputPart =
  | { id: number; kind: 'text'; stream: 'stdout' | 'stderr'; run: TextRun }
  | { id: number; kind: 'data'; role: 'result' | 'display'; data: MimeBundle }
  | { id: number; kind: 'error'; name: string; message: string; traceback: string }
  | { id: number; kind: 'skipped'; bytes: number; reason: string };

const MOST_PARTS = 400;
const FIRST_PARTS = 200;

/** What a cell has brought so far, bounded: the parts between the first and the latest are counted, not held. */
export class CellOutput {
  parts: OutputPart[] = [];
  /** Parts left out behind the first `FIRST_PARTS`. */
  hidden = 0;
  #serial = 0;

  get empty(): boolean {
    return this.parts.length === 0;
  }

  /** Where the parts that are left out were: index of the first part behind them; null when all are held. */
  get gapIndex(): number | null {
    return this.hidden > 0 ? FIRST_PARTS : null;
  }

  /** Takes an event; false when it is not output. */
  take(event: OutputEvent): boolean {
    switch (event.type) {
      case 'stdout':
      case 'stderr':
        this.#text(event.type, event.text);
        return true;
      case 'result':
      case 'display':
        this.#add({ id: this.#next(), kind: 'data', role: event.type, data: event.data });
        return true;
      case 'error': {
        const { name, message, traceback } = event;
        this.#add({ id: this.#next(), kind: 'error', name, message, traceback });
        return true;
      }
      case 'skipped':
        this.#add({ id: this.#next(), kind: 'skipped', bytes: event.bytes, reason: event.reason });
        return true;
      default:
        return false;
    }
  }

  #next(): number {
    this.#serial += 1;
    return this.#serial;
  }

  #text(stream: 'stdout' | 'stderr', text: string): void {
    const last = this.parts.at(-1);
    if (last?.kind === 'text' && last.stream === stream) {
      last.run.append(text);
      return;
    }
    const run = new TextRun();
    run.append(text);
    this.#add({ id: this.#next(), kind: 'text', stream, run });
  }

  #add(part: OutputPart): void {
    this.parts.push(part);
    if (this.parts.length <= MOST_PARTS) return;
    this.parts.splice(FIRST_PARTS, 1);
    this.hidden += 1;
  }
}

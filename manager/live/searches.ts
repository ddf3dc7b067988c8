import { WebvirtError } from '../../common/errors.ts';
import type { Line } from '../../common/model/line.ts';
import type { LinesFound } from '../../common/wire/live.ts';
import type { LineFilter, LineStore } from '../store/ports.ts';
import type { Outbox } from './outbox.ts';
import { entryOf } from './tail-queue.ts';

export interface SearchesConfig {
  /** Searches that look at the store at the same time, of all sockets; the others wait their turn. */
  running: number;
  /** Searches that may wait. */
  waiting: number;
}

export const SEARCHES_DEFAULTS: SearchesConfig = { running: 4, waiting: 200 };

export interface SearchRequest {
  id: string;
  filter: LineFilter;
  limit: number;
  cursor?: string;
}

export interface SearchViewer {
  outbox: Outbox;
  send(found: LinesFound): void;
  /** It is over, also after `stop`: called once. */
  onEnd(): void;
}

const LIMIT_MESSAGE_LINES = 500;
const LIMIT_MESSAGE_BYTES = 256 * 1024;

/** Searches that tell their matches as they find them. Sockets take turns by who asked first. */
export function createSearches(config: SearchesConfig, store: Pick<LineStore, 'search'>) {
  const waiting: (() => void)[] = [];
  let running = 0;

  function next(): void {
    if (running >= config.running) return;
    const start = waiting.shift();
    if (start === undefined) return;
    running += 1;
    start();
  }

  return {
    /** Begins when it is its turn. Throws `too-many-requests`. Returns how to cancel it. */
    start({ id, filter, limit, cursor }: SearchRequest, viewer: SearchViewer): () => void {
      if (waiting.length >= config.waiting)
        throw new WebvirtError('too-many-requests', 'Too many searches wait; try again in a moment.');
      const cancel = new AbortController();
      const messages = createMessages(id, viewer);
      const options = { limit, signal: cancel.signal, ...(cursor === undefined ? {} : { cursor }) };

      const run = async (): Promise<void> => {
        try {
          const page = await store.search(filter, {
            ...options,
            onFound: (lines) => void (cancel.signal.aborted || messages.found(lines)),
            onLooked: (backToMs) => void (cancel.signal.aborted || messages.looked(backToMs)),
          });
          const { next: cursorBehind, searchedBackToMs, unreadable } = page;
          messages.end({ next: cursorBehind, searchedBackToMs, ...(unreadable === undefined ? {} : { unreadable }) });
        } catch (error) {
          const known = error instanceof WebvirtError ? error : new WebvirtError('internal');
          messages.end({ next: null, error: { code: known.code, message: known.publicMessage } });
        } finally {
          running -= 1;
          next();
        }
      };
      const begin = () => void run();
      waiting.push(begin);
      // Behind the answer that says it was begun.
      setImmediate(next);
      return () => {
        cancel.abort();
        messages.stop();
        const at = waiting.indexOf(begin);
        if (at >= 0) waiting.splice(at, 1);
      };
    },
    stats: () => ({ searches: running, waitingSearches: waiting.length }),
  };
}

export type Searches = ReturnType<typeof createSearches>;

type End = Pick<LinesFound, 'next' | 'error' | 'unreadable'> & { searchedBackToMs?: number | null };

/** What a viewer is told, in pieces, no faster than it reads. How far it was looked is told with the next piece. */
function createMessages(id: string, { outbox, send, onEnd }: SearchViewer) {
  const lines: Line[] = [];
  let backToMs: number | null = null;
  let toldMs: number | null = null;
  let end: End | null = null;
  let over = false;

  function finish(): void {
    if (over) return;
    over = true;
    stopWaiting();
    onEnd();
  }

  function takePiece(): { piece: Line[]; bytes: number } {
    let [count, bytes] = [0, 64];
    while (count < lines.length && count < LIMIT_MESSAGE_LINES && bytes < LIMIT_MESSAGE_BYTES)
      bytes += entryOf(lines[count++]!, 0).bytes;
    return { piece: lines.splice(0, count), bytes };
  }

  function flush(): void {
    while (!over && outbox.open && (lines.length > 0 || end !== null || backToMs !== toldMs)) {
      const { piece, bytes } = takePiece();
      // Of a piece that is not the last only its own lines are told: the viewer has not all down to `backToMs` yet.
      const all = lines.length === 0;
      const done = all && end !== null;
      if (all) toldMs = backToMs;
      const looked = done && end?.searchedBackToMs !== undefined ? end.searchedBackToMs : all ? backToMs : null;
      const { searchedBackToMs: _, ...ended } = end ?? { next: null };
      const more = done ? ended : { next: null };
      send({ id, lines: piece, searchedBackToMs: looked, done, ...more });
      outbox.sent(bytes);
      if (done) finish();
    }
  }

  const stopWaiting = outbox.onRoom(flush);
  return {
    found(more: Line[]): void {
      lines.push(...more);
      flush();
    },
    looked(ms: number): void {
      backToMs = ms;
      flush();
    },
    end(given: End): void {
      end = given;
      flush();
    },
    stop: finish,
  };
}

import type { LinesBatch, TailRequest } from '../../../common/wire/live.ts';
import type { LineWindow } from '../models/line-window.ts';
import type { LogFilter } from '../models/log-filter.ts';
import type { LiveSocket } from './socket.ts';

export interface Tail {
  close(): void;
}

/** Live tails of one socket: each has an id, feeds one window, and resumes behind its last position after a loss. */
export interface Tails {
  open(window: LineWindow, filter: LogFilter, backlog: number): Tail;
  onBatch(batch: LinesBatch): void;
  /** Asks again for every open tail: called when the socket is back. */
  resume(): void;
}

const ACK_TIMEOUT_MS = 10_000;

export function createTails(socket: LiveSocket): Tails {
  const open = new Map<string, { window: LineWindow; filter: LogFilter; backlog: number }>();
  let serial = 0;

  function request(id: string): void {
    const tail = open.get(id);
    if (tail === undefined || !socket.connected) return;
    const { window, filter, backlog } = tail;
    const body: TailRequest = { id, backlog };
    for (const [key, value] of Object.entries(filter)) {
      if (value) body[key as keyof LogFilter] = value;
    }
    if (window.position !== null) body.after = window.position;
    socket.timeout(ACK_TIMEOUT_MS).emit('logs:tail', body, (timedOut, answer) => {
      if (open.get(id) !== tail) return;
      if (timedOut) {
        // The socket may look alive while the manager is not: ask again, the position makes it harmless.
        request(id);
        return;
      }
      if (answer.err !== null) tail.window.fail(answer.err, answer.message);
      else tail.window.opened(answer.data?.position ?? null);
    });
  }

  return {
    open(window, filter, backlog) {
      serial += 1;
      const id = `t${serial}`;
      open.set(id, { window, filter, backlog });
      request(id);
      return {
        close() {
          if (!open.delete(id)) return;
          if (socket.connected) socket.emit('logs:untail', { id });
        },
      };
    },
    onBatch(batch) {
      open.get(batch.id)?.window.addBatch(batch);
    },
    resume() {
      for (const id of open.keys()) request(id);
    },
  };
}

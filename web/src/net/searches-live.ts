import type { LinesFound, SearchRequest } from '../../../common/wire/live.ts';
import { FILTER_KEYS, type LogParams } from '../models/log-filter.ts';
import type { LiveSocket } from './socket.ts';

export interface SearchRun {
  cancel(): void;
}

export interface SearchOrder {
  params: LogParams;
  limit: number;
  cursor: string | null;
  onFound(found: LinesFound): void;
  /** The manager refused, or the connection was lost on the way. */
  onFail(code: string, message: string): void;
}

/** Searches in the stored lines that tell what they find as they find it. */
export interface LiveSearches {
  run(order: SearchOrder): SearchRun;
  onFound(found: LinesFound): void;
  /** The connection was lost: what ran is over. */
  lost(): void;
}

const ACK_TIMEOUT_MS = 10_000;

export function createLiveSearches(socket: LiveSocket): LiveSearches {
  const running = new Map<string, SearchOrder>();
  let serial = 0;

  function fail(id: string, code: string, message: string): void {
    const order = running.get(id);
    if (running.delete(id)) order?.onFail(code, message);
  }

  return {
    run(order) {
      serial += 1;
      const id = `s${serial}`;
      running.set(id, order);
      const body: SearchRequest = { id, limit: order.limit };
      for (const key of FILTER_KEYS) if (order.params[key]) body[key] = order.params[key];
      if (order.params.fromMs !== undefined) body.from = Math.floor(order.params.fromMs);
      if (order.params.toMs !== undefined) body.to = Math.ceil(order.params.toMs);
      if (order.cursor !== null) body.cursor = order.cursor;
      socket.timeout(ACK_TIMEOUT_MS).emit('logs:search', body, (timedOut, answer) => {
        if (timedOut) fail(id, 'timeout', 'The manager does not answer.');
        else if (answer.err !== null) fail(id, answer.err, answer.message);
      });
      return {
        cancel() {
          if (running.delete(id) && socket.connected) socket.emit('logs:cancel', { id });
        },
      };
    },
    onFound(found) {
      const order = running.get(found.id);
      if (found.done) running.delete(found.id);
      order?.onFound(found);
      if (found.error !== undefined) order?.onFail(found.error.code, found.error.message);
    },
    lost() {
      for (const id of [...running.keys()])
        fail(id, 'connection-lost', 'The connection was lost; the search ended with it.');
    },
  };
}

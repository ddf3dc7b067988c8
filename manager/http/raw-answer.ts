import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { RawAnswer } from './route.ts';

/**
 * An answer written piece by piece. The status and headers leave with the first piece; until then the route may still
 * fail with an ordinary error. `write` resolves when the peer has room again and rejects when it is gone.
 */
export function createRawAnswer(response: ServerResponse, type: string, status: number, signal: AbortSignal) {
  let started = false;
  const start = () => {
    if (started) return;
    started = true;
    response.statusCode = status;
    if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', type);
    response.setHeader('Cache-Control', 'no-store');
  };
  const answer: RawAnswer = {
    header(name, value) {
      response.setHeader(name, value);
    },
    trailer(name, value) {
      response.addTrailers({ [name]: value });
    },
    async write(chunk) {
      signal.throwIfAborted();
      start();
      if (!response.write(chunk)) await once(response, 'drain', { signal });
    },
  };
  return {
    answer,
    get started() {
      return started;
    },
    /** Ends the answer; whole only when this was called. */
    end() {
      start();
      response.end();
    },
  };
}

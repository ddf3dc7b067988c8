import { WebvirtError } from '../../common/errors.ts';
import type { AgentServiceMessage } from '../../common/wire/services.ts';
import type { Computation } from './computation.ts';
import type { Requests } from './requests.ts';

export interface Completion {
  matches: string[];
  /** The part of the code that each match would replace. */
  start: number;
  end: number;
}

/** What could stand at the cursor. A session that computes answers with nothing. */
export interface Completions {
  ask(computation: Computation, code: string, cursor: number): Promise<Completion>;
  answered(message: Extract<AgentServiceMessage, { t: 'compute-completed' }>): void;
  /** The host of this session does not answer any more. */
  lost(session: string): void;
}

export function createCompletions(config: { completeMs: number }, deps: { send: Requests['send'] }): Completions {
  const open = new Map<number, { session: string; settle(answer: Completion): void }>();
  let last = 0;
  return {
    ask: (computation, code, cursor) =>
      new Promise((resolve, reject) => {
        const ask = ++last;
        const timer = setTimeout(() => {
          open.delete(ask);
          reject(new WebvirtError('timeout', 'The session gave no answer in time.'));
        }, config.completeMs);
        function settle(answer: Completion): void {
          clearTimeout(timer);
          open.delete(ask);
          resolve(answer);
        }
        open.set(ask, { session: computation.record.id, settle });
        if (!deps.send(computation, { op: 'complete', ask, code, cursor })) settle(nothing(cursor));
      }),
    answered({ session, ask, matches, start, end }) {
      const asked = open.get(ask);
      if (asked?.session === session) asked.settle({ matches, start, end });
    },
    lost(session) {
      for (const asked of [...open.values()]) if (asked.session === session) asked.settle(nothing(0));
    },
  };
}

export function nothing(cursor: number): Completion {
  return { matches: [], start: cursor, end: cursor };
}

import { isErrorCode, WebvirtError } from '../../common/errors.ts';
import type { ManagerMessage } from '../../common/wire/link.ts';
import type { Question } from '../../common/wire/services.ts';
import type { HostService } from './services.ts';

export interface Asks extends HostService {
  /**
   * Asks a host something that it can tell at once. Rejects with the host's own error, `host-unreachable` when the link
   * is or goes down, or `timeout`. What is answered is not checked here: the asker knows its shape.
   */
  ask(
    hostId: string,
    what: Question,
    args: Record<string, unknown>,
    options?: { deadlineMs?: number },
  ): Promise<unknown>;
}

interface Open {
  host: string;
  settle(error: WebvirtError | null, data: unknown): void;
}

const DEADLINE_MS = 5_000;

/** Questions to agents, each answered once. */
export function createAsks(deps: { send(hostId: string, message: ManagerMessage): boolean }): Asks {
  const open = new Map<number, Open>();
  let last = 0;
  return {
    kinds: ['answer'],
    ask: (host, what, args, { deadlineMs = DEADLINE_MS } = {}) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        const timer = setTimeout(
          () => settle(new WebvirtError('timeout', `The host gave no answer within ${deadlineMs / 1000} s.`, { host })),
          deadlineMs,
        );
        function settle(error: WebvirtError | null, data: unknown = null): void {
          clearTimeout(timer);
          if (!open.delete(id)) return;
          if (error === null) resolve(data);
          else reject(error);
        }
        open.set(id, { host, settle });
        if (!deps.send(host, { t: 'ask', id, what, args })) settle(unreachable(host));
      }),
    take(host, message) {
      if (message.t !== 'answer') return;
      const asked = open.get(message.id);
      // An answer of another host is no answer.
      if (asked === undefined || asked.host !== host) return;
      const { error } = message;
      if (error === null) asked.settle(null, message.data);
      else
        asked.settle(
          new WebvirtError(isErrorCode(error.code) ? error.code : 'internal', error.message, { host }),
          null,
        );
    },
    down(host) {
      for (const asked of [...open.values()]) if (asked.host === host) asked.settle(unreachable(host), null);
    },
  };
}

function unreachable(host: string): WebvirtError {
  return new WebvirtError('host-unreachable', 'The host does not answer now. Try again when it is online.', { host });
}

import type { ComputeServer } from '../../common/model/compute.ts';
import type { AgentServiceMessage } from '../../common/wire/services.ts';
import type { Session } from './session.ts';

/** Most bytes that are sent and not acked, of all sessions; lines and state share the link. */
const WINDOW_BYTES = 4 * 1024 * 1024;
const SESSION_WINDOW_BYTES = 1024 * 1024;
const MESSAGE_BYTES = 256 * 1024;

type Send = (message: AgentServiceMessage) => void;

/** The way of all sessions to the manager: who may send how much, and what is sent anew over a new link. */
export interface Outbound {
  /** A new link. Tells what lives here; events of each session follow once the manager said which ones it has. */
  attach(send: Send, server: ComputeServer): () => void;
  /** Sends at once, or not at all where no link is: only what is told anew at each link. */
  tell(message: AgentServiceMessage): void;
  /** Sends what waits, within the windows. */
  pump(): void;
  /** The manager has everything before `next`. A dead session of which nothing is left is forgotten. */
  acked(id: string, next: number): void;
}

export function createOutbound(sessions: Map<string, Session>): Outbound {
  let link: Send | null = null;
  /** Sessions that are older than the link: where to go on is not known before the first ack. */
  const unsure = new Set<string>();

  const flight = () => {
    let bytes = 0;
    for (const { queue } of sessions.values()) bytes += queue.flightBytes;
    return bytes;
  };

  function pump(): void {
    // One message each in turn: a flood of one session must not hold the others up.
    for (let more = true; more && link !== null; ) {
      more = false;
      for (const session of sessions.values()) {
        if (link === null || unsure.has(session.id) || !session.queue.hasMore) continue;
        const room = Math.min(SESSION_WINDOW_BYTES - session.queue.flightBytes, WINDOW_BYTES - flight());
        if (room <= 0) continue;
        link({
          t: 'compute-events',
          session: session.id,
          events: session.queue.take(Math.min(room, MESSAGE_BYTES)),
        });
        more = true;
      }
    }
  }

  return {
    attach(send, server) {
      link = send;
      unsure.clear();
      const list = [];
      for (const session of sessions.values()) {
        session.queue.rewind();
        unsure.add(session.id);
        list.push({ session: session.id, next: session.queue.next, cells: session.lastCell });
      }
      send({ t: 'compute-sessions', list });
      for (const { id, state } of sessions.values())
        if (state !== 'opening') send({ t: 'compute-opened', session: id, error: null });
      send({ t: 'compute-server', server });
      return () => {
        if (link === send) link = null;
      };
    },
    tell: (message) => link?.(message),
    pump,
    acked(id, next) {
      const session = sessions.get(id);
      if (session === undefined) return;
      unsure.delete(id);
      session.queue.acked(next);
      if (session.state === 'dead' && session.queue.isEmpty) sessions.delete(id);
      pump();
    },
  };
}

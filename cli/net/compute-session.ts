import type { NumberedEvent, Session } from '../../common/model/compute.ts';
import { answerOf, type LiveSocket } from './socket.ts';

/**
 * Follows a session from an event on, in order and without a hole; after a lost connection it goes on behind the last
 * event that came. `onEvent` says true when it has seen enough. Resolves then; rejects when the session cannot be read.
 */
export function followSession(
  socket: LiveSocket,
  session: string,
  from: number,
  { onEvent, onHole }: { onEvent(event: NumberedEvent): boolean; onHole(events: number): void },
): Promise<void> {
  let next = from;
  return new Promise((resolve, reject) => {
    const stop = () => {
      socket.off('compute:output', onOutput);
      socket.off('connect', attach);
    };
    const attach = () => {
      const attached = answerOf<{ session: Session; firstSeq: number }>((ack) =>
        socket.emit('compute:attach', { session, from: next }, ack),
      );
      attached.then(
        ({ firstSeq }) => {
          if (firstSeq > next) onHole(firstSeq - next);
        },
        (error: Error) => {
          // A connection that was lost while it was asked begins anew with the next one.
          if (!socket.connected) return;
          stop();
          reject(error);
        },
      );
    };
    const onOutput = (batch: { session: string; events: NumberedEvent[] }) => {
      if (batch.session !== session) return;
      for (const event of batch.events) {
        if (event.seq < next) continue;
        next = event.seq + 1;
        if (!onEvent(event)) continue;
        stop();
        return resolve();
      }
    };
    socket.on('compute:output', onOutput);
    socket.on('connect', attach);
    attach();
  });
}

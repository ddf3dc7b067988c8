import { WebvirtError } from '../../../common/errors.ts';
import type { Compute } from '../../compute/compute.ts';
import type { Attachment } from '../../compute/ports.ts';
import { type Client, defineEvent, type SocketEvent } from '../../live/socket-event.ts';
import { attachSchema, completeSchema, detachSchema } from './schema.ts';

/** Sessions that one connection may watch. */
const LIMIT_ATTACHED = 64;

/**
 * `compute:attach`, `compute:detach` and `compute:complete`. An attachment that is asked for again under the same session
 * replaces the one before.
 */
export function computeEvents({ compute }: { compute: Pick<Compute, 'attach' | 'complete'> }): SocketEvent[] {
  const byClient = new WeakMap<Client, Map<string, () => void>>();

  function attachedOf(client: Client): Map<string, () => void> {
    const known = byClient.get(client);
    if (known !== undefined) return known;
    const made = new Map<string, () => void>();
    byClient.set(client, made);
    client.onGone(() => {
      for (const detach of made.values()) detach();
      made.clear();
    });
    return made;
  }

  function watch(session: string, from: number, client: Client): { attachment: Attachment; stop(): void } {
    const { outbox } = client;
    const attachment = compute.attach(session, from, {
      hasRoom: () => client.connected && (outbox.idle || outbox.open),
      send(events, bytes) {
        client.emit('compute:output', { session, events });
        outbox.sent(bytes);
      },
    });
    const stopWaiting = outbox.onRoom(() => attachment.pump());
    const stop = () => {
      stopWaiting();
      attachment.detach();
    };
    return { attachment, stop };
  }

  const attach = defineEvent({
    name: 'compute:attach',
    access: 'member',
    body: attachSchema,
    handle({ session, from }, client) {
      const mine = attachedOf(client);
      if (!mine.has(session) && mine.size >= LIMIT_ATTACHED)
        throw new WebvirtError('too-many-requests', `One connection may watch ${LIMIT_ATTACHED} sessions.`);
      const { attachment, stop } = watch(session, from, client);
      mine.get(session)?.();
      mine.set(session, stop);
      const data = { session: attachment.session, firstSeq: attachment.firstSeq, nextSeq: attachment.nextSeq };
      return { data: () => data, behind: () => attachment.pump() };
    },
  });

  const detach = defineEvent({
    name: 'compute:detach',
    access: 'member',
    body: detachSchema,
    handle({ session }, client) {
      const mine = attachedOf(client);
      mine.get(session)?.();
      mine.delete(session);
      return { data: () => null };
    },
  });

  const complete = defineEvent({
    name: 'compute:complete',
    access: 'member',
    body: completeSchema,
    async handle({ session, code, cursor }) {
      const found = await compute.complete(session, code, cursor);
      return { data: () => found };
    },
  });

  return [attach, detach, complete];
}

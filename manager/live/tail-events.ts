import { WebvirtError } from '../../common/errors.ts';
import { tailSchema, untailSchema } from './schema.ts';
import { type Client, defineEvent, type SocketEvent } from './socket-event.ts';
import type { OpenTail, Tails } from './tails.ts';

/** `logs:tail` and `logs:untail`. A tail that is asked for again under the same id replaces the one before. */
export function tailEvents({ tails, limit }: { tails: Tails; limit: number }): SocketEvent[] {
  /** Null while the backlog is read. */
  const byClient = new WeakMap<Client, Map<string, { open: OpenTail | null }>>();

  function tailsOf(client: Client) {
    const known = byClient.get(client);
    if (known !== undefined) return known;
    const made = new Map<string, { open: OpenTail | null }>();
    byClient.set(client, made);
    client.onGone(() => {
      for (const { open } of made.values()) open?.close();
      made.clear();
    });
    return made;
  }

  const tail = defineEvent({
    name: 'logs:tail',
    access: 'member',
    body: tailSchema,
    async handle(request, client) {
      const mine = tailsOf(client);
      mine.get(request.id)?.open?.close();
      if (!mine.has(request.id) && mine.size >= limit)
        throw new WebvirtError('too-many-requests', `One connection may have ${limit} tails.`);
      const slot: { open: OpenTail | null } = { open: null };
      mine.set(request.id, slot);
      let open: OpenTail;
      try {
        open = await tails.open(request as Parameters<Tails['open']>[0], {
          socketId: client.id,
          outbox: client.outbox,
          send: (batch) => client.emit('logs:lines', batch),
        });
      } catch (error) {
        if (mine.get(request.id) === slot) mine.delete(request.id);
        throw error;
      }
      if (mine.get(request.id) !== slot || !client.connected) {
        open.close();
        throw new WebvirtError('op-cancelled', 'This tail was ended before it began.');
      }
      slot.open = open;
      return { data: () => ({ position: open.position }), behind: () => open.begin() };
    },
  });

  const untail = defineEvent({
    name: 'logs:untail',
    access: 'member',
    body: untailSchema,
    handle({ id }, client) {
      const mine = tailsOf(client);
      mine.get(id)?.open?.close();
      mine.delete(id);
      return { data: () => null };
    },
  });

  return [tail, untail];
}

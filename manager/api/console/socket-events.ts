import { WebvirtError } from '../../../common/errors.ts';
import type { Consoles, OpenConsole } from '../../console/consoles.ts';
import { type Client, defineEvent, type SocketEvent } from '../../live/socket-event.ts';
import { closeSchema, inputSchema, openSchema } from './schema.ts';

/** Consoles that one connection may have open. */
const LIMIT_OPEN = 16;

/**
 * `console:open`, `console:input` and `console:close`. A console belongs to the connection that opened it and ends with it,
 * and so with the session: nobody else's id is of any use.
 */
export function consoleEvents({ consoles }: { consoles: Pick<Consoles, 'open'> }): SocketEvent[] {
  const byClient = new WeakMap<Client, Map<string, OpenConsole & { stop(): void }>>();

  function consolesOf(client: Client) {
    const known = byClient.get(client);
    if (known !== undefined) return known;
    const made = new Map<string, OpenConsole & { stop(): void }>();
    byClient.set(client, made);
    client.onGone(() => {
      for (const { stop } of made.values()) stop();
      made.clear();
    });
    return made;
  }

  function mustBeOpen(client: Client, id: string) {
    const open = consolesOf(client).get(id);
    if (open === undefined) throw new WebvirtError('not-found', 'This console is not open here.');
    return open;
  }

  const open = defineEvent({
    name: 'console:open',
    access: 'member',
    body: openSchema,
    handle({ instance, write, force }, client) {
      const mine = consolesOf(client);
      if (mine.size >= LIMIT_OPEN)
        throw new WebvirtError('too-many-requests', `One connection may have ${LIMIT_OPEN} consoles open.`);
      const { outbox, principal } = client;
      // Looking is for every member, typing for admins.
      const may = principal.role === 'admin';
      const request = { instance, write: write && may, force: force && may, actor: principal.name };
      const made = consoles.open(request, {
        hasRoom: () => client.connected && (outbox.idle || outbox.open),
        data(data, skipped, bytes) {
          client.emit('console:data', { console: made.id, data, skipped });
          outbox.sent(Math.ceil(bytes * 1.34));
        },
        state: (state) => client.emit('console:state', { console: made.id, ...state }),
      });
      const stopWaiting = outbox.onRoom(made.pump);
      const stop = () => {
        stopWaiting();
        made.close();
      };
      mine.set(made.id, Object.assign(made, { stop }));
      const data = () => ({ console: made.id, recent: made.recent().toString('base64'), write: made.write });
      return { data, behind: made.begin };
    },
  });

  const input = defineEvent({
    name: 'console:input',
    access: 'member',
    body: inputSchema,
    handle(request, client) {
      mustBeOpen(client, request.console).type(request.data);
      return { data: () => null };
    },
  });

  const close = defineEvent({
    name: 'console:close',
    access: 'member',
    body: closeSchema,
    handle(request, client) {
      mustBeOpen(client, request.console).stop();
      consolesOf(client).delete(request.console);
      return { data: () => null };
    },
  });

  return [open, input, close];
}

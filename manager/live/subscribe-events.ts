import { WebvirtError } from '../../common/errors.ts';
import type { PatchOperation } from '../../common/wire/live.ts';
import type { Membership, Resources } from './resources.ts';
import { uriSchema } from './schema.ts';
import { type Client, defineEvent, type SocketEvent } from './socket-event.ts';

interface Subscription {
  membership: Membership | null;
  leave(): void;
}

/** `subscribe` and `unsubscribe`. Each viewer counts its own versions, so they are consecutive for it whatever happens. */
export function subscribeEvents({ resources, limit }: { resources: Resources; limit: number }): SocketEvent[] {
  const byClient = new WeakMap<Client, Map<string, Subscription>>();

  function subscriptionsOf(client: Client): Map<string, Subscription> {
    const known = byClient.get(client);
    if (known !== undefined) return known;
    const made = new Map<string, Subscription>();
    byClient.set(client, made);
    client.onGone(() => {
      for (const subscription of made.values()) subscription.leave();
      made.clear();
    });
    return made;
  }

  const subscribe = defineEvent({
    name: 'subscribe',
    access: 'member',
    body: uriSchema,
    async handle({ uri }, client) {
      const mine = subscriptionsOf(client);
      // Asked again: the viewer lost track and starts anew.
      mine.get(uri)?.leave();
      if (!mine.has(uri) && mine.size >= limit)
        throw new WebvirtError('too-many-requests', `One connection may watch ${limit} addresses.`);
      const viewer = createViewer(uri, client);
      const subscription: Subscription = {
        membership: null,
        leave() {
          viewer.stop();
          this.membership?.leave();
        },
      };
      mine.set(uri, subscription);
      try {
        subscription.membership = await resources.join(uri, client.principal, viewer.change);
      } catch (error) {
        if (mine.get(uri) === subscription) mine.delete(uri);
        throw error;
      }
      const { membership } = subscription;
      // Gone, unsubscribed or asked again meanwhile.
      if (mine.get(uri) !== subscription || !client.connected) {
        membership.leave();
        throw new WebvirtError('op-cancelled', 'This subscription was ended before it began.');
      }
      return { data: () => ({ version: viewer.begin(() => membership.body()), body: membership.body() }) };
    },
  });

  const unsubscribe = defineEvent({
    name: 'unsubscribe',
    access: 'member',
    body: uriSchema,
    handle({ uri }, client) {
      const mine = subscriptionsOf(client);
      mine.get(uri)?.leave();
      mine.delete(uri);
      return { data: () => null };
    },
  });

  return [subscribe, unsubscribe];
}

/** Passes changes on to one viewer; one that does not read gets the whole body later instead of every step of it. */
function createViewer(uri: string, client: Client) {
  let version = 0;
  let behind = false;
  let latest: () => unknown = () => null;

  function send(patch: PatchOperation[], bytes: number): void {
    version += 1;
    client.emit('change', { uri, version, patch });
    client.outbox.sent(bytes);
  }

  const stop = client.outbox.onRoom(() => {
    if (!behind) return;
    behind = false;
    const body = latest();
    send([{ op: 'replace', path: '', value: body }], JSON.stringify(body)?.length ?? 4);
  });

  return {
    begin(current: () => unknown): number {
      latest = current;
      version = 1;
      return version;
    },
    change(patch: PatchOperation[]): void {
      if (behind) return;
      // The size is guessed from the number of operations; a row of a list is about half a kilobyte.
      if (client.outbox.open) send(patch, patch.length * 512);
      else behind = true;
    },
    stop,
  };
}

import { randomUUID } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import type { Destination } from '../../common/model/rule.ts';
import type { Bus } from '../bus/bus.ts';
import type { DestinationStore, RuleStore, StoredDestination } from '../store/ports.ts';
import { DeliveryError } from './delivery-error.ts';
import { mustBeHook } from './safe-post.ts';
import type { Send } from './send.ts';
import { checkTemplate } from './template.ts';

/** What comes in: an absent `url` or `secret` of a change leaves what is kept; an empty secret takes it away. */
export interface DestinationChange {
  kind: 'email' | 'webhook' | 'chat';
  name: string;
  to?: string[] | undefined;
  url?: string | undefined;
  template?: string | undefined;
  secret?: string | undefined;
  /** False: each event apart. Absent: together. */
  together?: boolean | undefined;
}

export interface DestinationService {
  list(): Destination[];
  /** Throws `bad-request`, and `name-taken`. */
  create(change: DestinationChange, owner: string): Destination;
  update(id: string, change: DestinationChange): Destination;
  /** Throws `in-use` while a rule names it. */
  remove(id: string): void;
  /** Sends a test at once, and says what came of it. */
  test(id: string, by: string): Promise<{ sent: boolean; error: string | null; tookMs: number }>;
}

const LIMIT_DESTINATIONS = 200;

export function createDestinationService(deps: {
  destinations: DestinationStore;
  rules: Pick<RuleStore, 'list'>;
  send: Send;
  bus: Bus;
  /** Something that failed may be deliverable now. */
  onChanged(): void;
  nowMs: () => number;
}): DestinationService {
  const { destinations, bus, nowMs } = deps;
  const find = (id: string): StoredDestination => {
    const found = destinations.get(id);
    if (found === null) throw new WebvirtError('not-found', 'There is no such destination; it may have been removed.');
    return found;
  };

  function apply(before: StoredDestination, change: DestinationChange): StoredDestination {
    const { kind, name, to = [], template = '' } = change;
    const others = destinations.list().filter(({ id }) => id !== before.id);
    if (others.some((one) => one.name.toLowerCase() === name.toLowerCase()))
      throw new WebvirtError('name-taken', `There is a destination called ${name} already.`);
    const isSame = before.kind === kind;
    const url = kind === 'email' ? null : (change.url ?? (isSame ? before.url : null));
    if (kind !== 'email') mustBeUsable(url);
    if (kind === 'webhook') checkTemplate(template);
    // A key is never sent to an address that somebody else has put in its place.
    const isSameHost = url !== null && before.url !== null && new URL(url).host === new URL(before.url).host;
    const kept = isSame && isSameHost ? before.secret : null;
    const secret = kind === 'webhook' ? (change.secret ?? kept) || null : null;
    const together = change.together ?? before.together ?? true;
    return { ...before, together, kind, name, to: kind === 'email' ? to : [], url, secret, template };
  }

  function keep(destination: StoredDestination): Destination {
    destinations.put(destination);
    bus.emit('destination', { id: destination.id });
    deps.onChanged();
    return presentDestination(destination);
  }

  return {
    list: () => destinations.list().map(presentDestination),
    create(change, owner) {
      if (destinations.list().length >= LIMIT_DESTINATIONS)
        throw new WebvirtError('no-room', `There are ${LIMIT_DESTINATIONS} destinations already.`);
      const empty: StoredDestination = {
        ...{ id: randomUUID(), kind: change.kind, name: '', to: [], url: null, template: '', secret: null },
        ...{ owner, createdMs: nowMs() },
      };
      return keep(apply(empty, change));
    },
    update: (id, change) => keep(apply(find(id), change)),
    remove(id) {
      find(id);
      const users = deps.rules.list().filter((rule) => rule.destinations.includes(id));
      if (users.length > 0) {
        const names = users.map(({ name }) => name).slice(0, 5);
        throw new WebvirtError(
          'in-use',
          `${users.length === 1 ? 'A rule tells' : `${users.length} rules tell`} it: ${names.join(', ')}.`,
        );
      }
      destinations.remove(id);
      bus.emit('destination', { id });
    },
    async test(id, by) {
      const destination = find(id);
      const startedMs = performance.now();
      const took = () => Math.round(performance.now() - startedMs);
      const notice = {
        ...{ what: 'test' as const, rule: 'test', ruleName: 'A test of this destination', severity: 'info' as const },
        ...{ condition: `Asked for by ${by}.`, groupBy: null, group: null, groupName: null, count: 0, tsMs: nowMs() },
        ...{ line: null, message: null },
      };
      try {
        await deps.send({ id: randomUUID(), destination, notice });
        return { sent: true, error: null, tookMs: took() };
      } catch (error) {
        if (error instanceof DeliveryError) return { sent: false, error: error.message, tookMs: took() };
        throw error;
      }
    },
  };
}

function mustBeUsable(url: string | null): void {
  if (url === null) throw new WebvirtError('bad-request', 'body.url: is missing');
  try {
    mustBeHook(url);
  } catch (error) {
    throw new WebvirtError('bad-request', `body.url: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const SHOWN_PATH = 9;

/** What may leave: no key, and of the address of a hook only where it leads; the rest of it is as good as a key. */
export function presentDestination(destination: StoredDestination): Destination {
  const { id, kind, name, to, template, owner, createdMs, secret, together = true } = destination;
  const url = destination.url === null ? null : cutUrl(destination.url);
  return { id, kind, name, to, url, template, secretSet: secret !== null, together, owner, createdMs };
}

function cutUrl(text: string): string {
  const { origin, pathname, search } = new URL(text);
  if (pathname.length <= SHOWN_PATH && search === '') return `${origin}${pathname}`;
  return `${origin}${pathname.slice(0, SHOWN_PATH)}…`;
}

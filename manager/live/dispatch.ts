import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import { failed, ok } from '../../common/wire/envelope.ts';
import { closeConnection } from './cut.ts';
import type { LiveLog, SharedGuard } from './ports.ts';
import { createRateLimit } from './rate-limit.ts';
import type { Client, LiveSocket, SocketEvent } from './socket-event.ts';

export interface DispatchConfig {
  eventsPerSecond: number;
}

/** Answers that nobody reads: far more than any client has open at once. */
const LIMIT_HELD_BYTES = 32 * 1024 * 1024;

type Answer = (answer: unknown) => void;

/**
 * Takes every event of a socket: known, allowed, well formed, not too many; anything else is answered with an error and
 * nothing is swallowed. A client that goes on flooding is cut.
 */
export function dispatchEvents(
  socket: LiveSocket,
  client: Client,
  events: ReadonlyMap<string, SocketEvent>,
  config: DispatchConfig,
  deps: { guard: SharedGuard; log: LiveLog; onEnded(): void },
): void {
  // Our own crawler sends what its spool holds; people do not click that fast.
  const limit =
    client.principal.role === 'service'
      ? null
      : createRateLimit({ perSecond: config.eventsPerSecond, cutAfter: 2_000 });

  async function run(name: string, body: unknown, answer: Answer): Promise<void> {
    const event = events.get(name);
    if (event === undefined)
      throw new WebvirtError('bad-request', `There is no event ${JSON.stringify(name.slice(0, 64))}.`);
    deps.guard.mustBeAllowed(event.access, client.principal);
    const parsed = event.body.safeParse(body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw new WebvirtError('bad-request', `${[name, ...issue.path.map(String)].join('.')}: ${issue.message}`);
    }
    const { data, behind } = await event.handle(parsed.data, client);
    if (!client.connected) return;
    answer(ok(data() ?? null));
    behind?.();
  }

  socket.onAny((name: string, ...rest: unknown[]) => {
    const last = rest.at(-1);
    const answer = (typeof last === 'function' ? last : () => undefined) as Answer;
    const verdict = client.outbox.heldBytes() > LIMIT_HELD_BYTES ? 'cut' : (limit?.take() ?? 'pass');
    if (verdict === 'cut') {
      deps.log.warn('A socket that flooded or never read was cut', { principal: client.principal.name });
      closeConnection(socket).cut();
      return;
    }
    if (verdict === 'refuse') return answer(failed('too-many-requests', 'Too many events; wait a second.'));
    if (deps.guard.isStillValid?.(client.principal) === false) return deps.onEnded();
    run(String(name), rest[0] === last && typeof last === 'function' ? undefined : rest[0], answer).catch(
      (error: unknown) => {
        if (!client.connected) return;
        if (isWebvirtError(error)) return answer(failed(error.code, error.publicMessage));
        deps.log.error('An event of a socket failed', { event: String(name).slice(0, 64), reason: String(error) });
        answer(failed('internal', new WebvirtError('internal').publicMessage));
      },
    );
  });
}

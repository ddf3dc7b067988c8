import type { ManagerMessage } from '../../common/wire/link.ts';
import { Backoff } from './backoff.ts';
import { connect } from './connect.ts';
import type { LinkHandlers, LinkHost, LinkLog, LinksConfig, LinkTls } from './ports.ts';
import { type Session, startSession } from './session.ts';

/** The road to one host: dials, and dials again, until it is dropped or held. */
export interface Link {
  send(message: ManagerMessage): boolean;
  connected(): boolean;
  /** Dials now, from the newest record of the host; an open connection is kept unless the address is another one. */
  dial(): void;
  /** Ends the connection and does not dial again before `dial`. */
  rest(reason: string): void;
}

export function createLink(
  id: string,
  config: LinksConfig,
  deps: { record: () => LinkHost | null; tls: () => LinkTls; handlers: LinkHandlers; log: LinkLog },
): Link {
  const { handlers, log } = deps;
  const backoff = new Backoff(config.firstRetryMs, config.longestRetryMs);
  let session: Session | null = null;
  let place = '';
  let timer: NodeJS.Timeout | null = null;
  let resting = true;
  let lastReason = '';

  function ended(mine: Session, reason: string, wasOpen: boolean): void {
    // An older connection of ours has nothing to say any more.
    if (session !== mine) return;
    session = null;
    // A host that is down is not told at every try.
    if (wasOpen) log.warn('Link to a host ended', { host: id, reason });
    else if (reason !== lastReason) log.info('Host cannot be reached', { host: id, place, reason });
    lastReason = reason;
    if (resting) return;
    timer = setTimeout(dialNow, backoff.next());
    timer.unref();
  }

  function dialNow(): void {
    timer = null;
    const record = deps.record();
    if (record === null || record.revokedMs !== null) {
      resting = true;
      return;
    }
    place = `${record.address} ${record.port}`;
    let socket: ReturnType<typeof connect>;
    try {
      socket = connect(record, deps.tls(), config);
    } catch (error) {
      // An address that is none, a key that cannot be read: said, and tried again.
      log.warn('Host cannot be dialled', { host: id, place, reason: String(error) });
      timer = setTimeout(dialNow, backoff.next());
      timer.unref();
      return;
    }
    const opened: LinkHandlers = {
      ...handlers,
      onOpen(hostId) {
        backoff.reset();
        lastReason = '';
        log.info('Link to a host is open', { host: id, place });
        handlers.onOpen(hostId);
      },
    };
    const mine: Session = startSession(socket, id, config, opened, (reason, wasOpen) => ended(mine, reason, wasOpen));
    session = mine;
  }

  function stop(reason: string): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    // Let go of before it ends: its end must not dial a second time beside the one who stopped it.
    const mine = session;
    session = null;
    if (mine?.isOpen()) log.warn('Link to a host ended', { host: id, reason });
    mine?.end(reason);
  }

  return {
    send: (message) => session?.send(message) ?? false,
    connected: () => session?.isOpen() ?? false,
    dial() {
      const record = deps.record();
      const same = record !== null && place === `${record.address} ${record.port}`;
      if (session !== null && same) return;
      stop('the address of the host changed');
      resting = false;
      backoff.reset();
      dialNow();
    },
    rest(reason) {
      resting = true;
      stop(reason);
    },
  };
}

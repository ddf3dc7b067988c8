import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { credentialWatch } from './credential-watch.ts';
import { closeConnection } from './cut.ts';
import { type DispatchConfig, dispatchEvents } from './dispatch.ts';
import { encodeOnce } from './encode-once.ts';
import { handshakeFault, whoConnects } from './handshake.ts';
import { type Connection, createOutbox } from './outbox.ts';
import type { LiveDeps } from './ports.ts';
import { createRateLimit } from './rate-limit.ts';
import { createResources } from './resources.ts';
import { searchEvents } from './search-events.ts';
import { createSearches, SEARCHES_DEFAULTS } from './searches.ts';
import type { Client, LiveServer, LiveSocket, SocketEvent } from './socket-event.ts';
import { subscribeEvents } from './subscribe-events.ts';
import { tailEvents } from './tail-events.ts';
import { createTails } from './tails.ts';

export interface LiveConfig extends DispatchConfig {
  /** Largest message of a client, bytes. The crawler's frames of lines must fit. */
  maxMessageBytes: number;
  maxSockets: number;
  maxSubscriptions: number;
  maxTails: number;
  /** Searches of one socket at the same time. */
  maxSearches: number;
  /** Caps of each viewer's queue. */
  queueLines: number;
  queueBytes: number;
  /** How much may wait for the kernel to take it, for each socket. */
  windowBytes: number;
  /** A resource is computed at most once in this time, after the first change at once. Milliseconds. */
  changeGapMs: number;
  /** How often credentials are looked at for having run out. Milliseconds; a sign-out is known at once. */
  credentialCheckMs: number;
}

export const LIVE_DEFAULTS: LiveConfig = {
  maxMessageBytes: 1024 * 1024,
  maxSockets: 2_000,
  maxSubscriptions: 64,
  maxTails: 8,
  maxSearches: 4,
  queueLines: 1_000,
  queueBytes: 1024 * 1024,
  windowBytes: 1024 * 1024,
  changeGapMs: 50,
  credentialCheckMs: 4_000,
  eventsPerSecond: 100,
};

export interface LiveStats {
  sockets: number;
  resources: number;
  tails: number;
  channels: number;
  /** Lines that slow viewers were not sent, since the start. */
  skipped: number;
  /** What waits for slow viewers now. */
  queuedLines: number;
  queuedBytes: number;
}

export interface Live {
  /** Answers `/socket.io/` on this server; may be called for several. Handlers the server has already are kept for the rest. */
  attach(server: HttpServer): void;
  /** Cuts every socket. The HTTP servers are left to their owner. */
  stop(): Promise<void>;
  stats(): LiveStats;
}

/** Lines a second about refused handshakes: anybody can make us refuse, and the log must not be filled by it. */
const REFUSALS_TOLD_PER_SECOND = 1;
/** What a peer is given to read why it is cut. */
const CUT_AFTER_MS = 500;

/** The push side: watched resources, tails of lines, and the events of other parts of ours (`events`). */
export function createLive(config: LiveConfig, deps: LiveDeps & { events?: readonly SocketEvent[] }): Live {
  const { guard, log, bus } = deps;
  const tellRefusal = createRateLimit({ perSecond: REFUSALS_TOLD_PER_SECOND, cutAfter: Number.POSITIVE_INFINITY });
  let untold = 0;
  const io: LiveServer = new Server({
    path: '/socket.io',
    serveClient: false,
    transports: ['websocket', 'polling'],
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: config.maxMessageBytes,
    connectTimeout: 5_000,
    pingInterval: 20_000,
    pingTimeout: 20_000,
    allowRequest(request, callback) {
      // Connections count, not sign-ins: those who never say who they are cost as much.
      let open = 0;
      for (const engine of engines) open += (engine as unknown as { clientsCount: number }).clientsCount;
      const full = open >= config.maxSockets;
      const fault = full ? 'too-many-requests' : handshakeFault(request, guard);
      if (fault !== null && tellRefusal.take() === 'pass') {
        log.info('A socket handshake was refused', { reason: fault, untold });
        untold = 0;
      } else if (fault !== null) untold += 1;
      callback(fault, fault === null);
    },
  });
  encodeOnce(io);
  const engines = new Set<LiveServer['engine']>();
  const clients = new Map<string, { socket: LiveSocket; principal: Client['principal'] }>();

  const resources = createResources({ gapMs: config.changeGapMs }, deps);
  const tails = createTails(
    { queueLines: config.queueLines, queueBytes: config.queueBytes },
    {
      ...{ bus, store: deps.lines, reader: deps.batches },
      sendToAll: (socketIds, batch) => void io.to(socketIds).emit('logs:lines', batch),
    },
  );
  const searches = createSearches(SEARCHES_DEFAULTS, deps.lines);
  const all = [
    ...subscribeEvents({ resources, limit: config.maxSubscriptions }),
    ...tailEvents({ tails, limit: config.maxTails }),
    ...searchEvents({ searches, limit: config.maxSearches }),
    ...(deps.events ?? []),
  ];
  const events = new Map<string, SocketEvent>(all.map((event) => [event.name, event]));

  function end(socket: LiveSocket): void {
    socket.emit('signed-out', { code: 'not-signed-in' });
    const { cut } = closeConnection(socket);
    setTimeout(cut, CUT_AFTER_MS).unref();
  }
  const credentials = credentialWatch(config.credentialCheckMs, { bus, guard, clients, end });

  io.use((socket, next) => {
    whoConnects(socket.handshake, socket.request, guard).then(
      (found) => {
        if ('code' in found) return next(new Error(found.code));
        if (credentials.hasEnded(found.principal)) return next(new Error('not-signed-in'));
        socket.data.principal = found.principal;
        next();
      },
      (error: unknown) => {
        log.error('A socket could not be authenticated', { reason: String(error) });
        next(new Error('internal'));
      },
    );
  });

  io.on('connection', (socket) => {
    const { principal } = socket.data;
    const gone: (() => void)[] = [];
    const client: Client = {
      ...{ id: socket.id, principal, outbox: createOutbox(socket.conn as unknown as Connection, config.windowBytes) },
      emit: socket.emit.bind(socket),
      get connected() {
        return socket.connected;
      },
      onGone: (callback) => void gone.push(callback),
    };
    clients.set(socket.id, { socket, principal });
    socket.on('disconnect', (reason) => {
      clients.delete(socket.id);
      // It said goodbye and would keep its connection, which nothing would ever end.
      if (reason === 'client namespace disconnect') socket.conn.close();
      for (const callback of gone.splice(0)) callback();
      log.debug('A socket closed', { principal: principal.name, reason });
    });
    dispatchEvents(socket, client, events, config, { guard, log, onEnded: () => end(socket) });
    if (credentials.hasEnded(principal)) end(socket);
  });

  return {
    attach(server) {
      io.attach(server);
      const { engine } = io;
      engines.add(engine);
      // `allowRequest` sees handshakes only: the later requests of a polling client are checked here.
      engine.use(
        (
          request: Parameters<typeof handshakeFault>[0] & { _query?: { sid?: string } },
          _response: unknown,
          next: (error?: Error) => void,
        ) => {
          const fault = request._query?.sid === undefined ? null : handshakeFault(request, guard);
          next(fault === null ? undefined : new Error(fault));
        },
      );
    },
    async stop() {
      credentials.stop();
      resources.stop();
      tails.stop();
      const closing = [...clients.values()].map(({ socket }) => closeConnection(socket));
      const lastMs = performance.now() + CUT_AFTER_MS;
      while (closing.some(({ isOpen }) => isOpen()) && performance.now() < lastMs)
        await new Promise((resolve) => setTimeout(resolve, 10));
      for (const { cut } of closing) cut();
      for (const engine of engines) engine.close();
    },
    stats: () => ({ sockets: clients.size, resources: resources.size, ...tails.stats() }),
  };
}

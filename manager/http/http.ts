import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { hostname } from 'node:os';
import { createServer as createTlsServer } from 'node:tls';
import { createApp } from './app.ts';
import { passesGate, refusalText, refuseSocket, upgradePassesGate } from './gate.ts';
import { hostAllowList } from './host-names.ts';
import { shareOnePort } from './one-port.ts';
import type { HttpConfig, HttpDeps } from './ports.ts';
import { createRefusals } from './refusals.ts';

export interface Http {
  /** Resolves when the port is open. Throws an Error with words for people when it cannot be. */
  start(): Promise<void>;
  /** Takes no new connection, lets answers under way end for `graceMs`, then cuts what is left. */
  stop(graceMs?: number): Promise<void>;
  address(): { host: string; port: number };
}

/** The one door of the manager: HTTP, TLS and WebSocket on one port. */
export function createHttp(config: HttpConfig, deps: HttpDeps): Http {
  const { tls, log } = deps;
  const refused = createRefusals(deps.audit ?? (() => undefined));
  const app = createApp(config, deps, refused);
  // Requests and upgrades reach the inner server only through the gate; it never listens itself.
  const inner = createServer(app);
  const outer = createServer({ connectionsCheckingInterval: Math.min(5000, config.headerTimeoutMs) });
  outer.headersTimeout = config.headerTimeoutMs;
  outer.requestTimeout = config.requestTimeoutMs;
  outer.maxConnections = config.maxConnections;
  const rules = { isHostAllowed: hostAllowList(config.allowedHosts, hostname()), hasTls: tls !== null, refused };
  outer.on('request', (request, response) => {
    if (passesGate(request, response, rules)) inner.emit('request', request, response);
  });
  outer.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!upgradePassesGate(request, socket, rules)) return;
    if (inner.listenerCount('upgrade') > 0) inner.emit('upgrade', request, socket, head);
    else refuseSocket(socket, 404, '', refusalText('not-found'));
  });
  outer.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const status = late ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
    refuseSocket(socket, status, '', refusalText(late ? 'timeout' : 'bad-request'));
  });
  const secure =
    tls === null
      ? null
      : createTlsServer({
          ...tls,
          minVersion: 'TLSv1.3',
          ALPNProtocols: ['http/1.1'],
          handshakeTimeout: config.headerTimeoutMs,
        });
  secure?.on('tlsClientError', (error) => log.debug('TLS handshake failed', { error: error.message }));
  shareOnePort(outer, secure, config.headerTimeoutMs);
  const sockets = new Set<Socket>();
  outer.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  deps.socket?.(inner);

  return {
    start: () => listen(outer, config),
    async stop(graceMs = 2000) {
      if (!outer.listening) return;
      const closed = new Promise<void>((resolve) => outer.close(() => resolve()));
      outer.closeIdleConnections();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(cut);
      inner.emit('close');
    },
    address() {
      const { address, port } = outer.address() as AddressInfo;
      return { host: address, port };
    },
  };
}

function listen(server: Server, { listen: host, port }: HttpConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen({ host, port, backlog: 511 }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const words: Record<string, string> = {
    EADDRINUSE: `port: ${port} on ${host} is in use already; stop the other program or set another port (WEBVIRT_PORT)`,
    EACCES: `port: ${port} may not be opened by this user; choose one above 1023 (WEBVIRT_PORT)`,
    EADDRNOTAVAIL: `listen: this machine has no address ${host} (WEBVIRT_LISTEN)`,
    ENOTFOUND: `listen: ${host} is not an address (WEBVIRT_LISTEN)`,
  };
  const text = words[error.code ?? ''];
  if (text === undefined) return error;
  // The state of the machine, not a fault of the configuration: a plain error.
  return new Error(text, { cause: error });
}

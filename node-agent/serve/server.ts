import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import { failed } from '../../common/wire/envelope.ts';
import { LINK_PATH } from '../../common/wire/link.ts';
import { errorFields, type Logger } from '../../logging/logger.ts';
import { answerError } from './answer.ts';
import type { Handler } from './handlers.ts';
import type { LinkServer } from './link.ts';
import type { ServedIdentity } from './ports.ts';
import { createRate } from './rate.ts';
import { type Asker, dispatch, mustBeLetIn } from './router.ts';

const MANAGER_NAME = 'webvirt-manager';
const HELLOS_PER_SECOND = 5;
const MAX_CONNECTIONS = 128;
/** Largest message of the manager: cursors and commands are far smaller. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

export interface ServerDeps {
  identity: ServedIdentity;
  handlers: Record<string, Handler>;
  link: LinkServer;
  log: Logger;
}

/**
 * The port of the agent. Before enrolment it says hello and refuses the rest; from the moment of enrolment on, also on
 * connections that are open already, only the manager's certificate opens anything.
 */
export function createNodeServer(config: { listen: string; port: number }, deps: ServerDeps) {
  const { identity, handlers, link, log } = deps;
  const hellos = createRate(HELLOS_PER_SECOND);
  const server = createServer({
    ...contextOf(identity),
    requestCert: true,
    // Whoever has no certificate of ours gets an answer that says so, not a broken handshake.
    rejectUnauthorized: false,
    handshakeTimeout: 5_000,
    requestTimeout: 15_000,
    headersTimeout: 5_000,
    keepAliveTimeout: 30_000,
    maxHeaderSize: 8_192,
    connectionsCheckingInterval: 2_000,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const unsubscribe = identity.onEnrolled(() => server.setSecureContext(contextOf(identity)));
  const unexpected = (error: unknown) => log.error('A call of the Node API failed inside', errorFields(error));

  const askerOf = (socket: TLSSocket): Asker => ({
    enrolled: identity.enrolment() !== null,
    isManager: isManager(socket),
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const asker = askerOf(request.socket as TLSSocket);
      if (!asker.enrolled && !hellos.take()) throw new WebvirtError('too-many-requests');
      await dispatch(request, response, asker, handlers);
    } catch (error) {
      // What the peer still sends is not read: the connection ends with the answer.
      if (!request.complete) response.setHeader('connection', 'close');
      answerError(response, error, unexpected);
    }
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      mustBeLetIn(askerOf(socket as TLSSocket), false);
      if (request.url !== LINK_PATH) throw new WebvirtError('not-found', 'There is no such address here.');
      (socket as TLSSocket).setNoDelay(true);
      sockets.handleUpgrade(request, socket, head, (webSocket) => link.accept(webSocket));
    } catch (error) {
      refuse(socket, isWebvirtError(error) ? error : new WebvirtError('internal'));
      if (!isWebvirtError(error)) unexpected(error);
    }
  }

  server.on('request', (request, response) => void answer(request, response));
  server.on('upgrade', upgrade);
  server.on('tlsClientError', (error) => log.debug('A TLS handshake failed', { reason: error.message }));
  server.on('clientError', (_error, socket) => socket.destroy());

  return {
    /** Resolves with the port when it is open; rejects with the error of `listen` (EADDRINUSE and so on). */
    start: () =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(config.port, config.listen, () => {
          server.off('error', reject);
          server.on('error', (error) => log.error('The port of the agent failed', errorFields(error)));
          resolve((server.address() as AddressInfo).port);
        });
      }),
    async stop(): Promise<void> {
      unsubscribe();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function contextOf(identity: ServedIdentity) {
  const { key, cert, ca } = identity.tls();
  return {
    key,
    cert,
    ca: ca ?? cert,
    minVersion: 'TLSv1.3' as const,
    // A resumed session would carry the trust of an earlier handshake.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

const known = new WeakMap<TLSSocket, boolean>();

/** The peer has a certificate of our CA, for clients, and it is the manager's: agents have one of the same CA. */
function isManager(socket: TLSSocket): boolean {
  if (!socket.authorized) return false;
  let answer = known.get(socket);
  if (answer === undefined) {
    const certificate = socket.getPeerX509Certificate();
    const names = certificate?.subjectAltName?.split(', ') ?? [];
    answer = names.includes(`DNS:${MANAGER_NAME}`);
    known.set(socket, answer);
  }
  return answer;
}

function refuse(socket: Duplex, error: WebvirtError): void {
  const text = JSON.stringify(failed(error.code, error.publicMessage));
  socket.on('error', () => {});
  socket.end(
    `HTTP/1.1 ${error.status} Refused\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

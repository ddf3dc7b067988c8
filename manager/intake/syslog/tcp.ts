import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { plainAddress } from './allow-list.ts';
import { createFraming } from './framing.ts';
import { readSyslog } from './parse.ts';
import type { SyslogMessage } from './parts.ts';
import type { ListenerConfig, SyslogDeps } from './ports.ts';
import { NOT_ALLOWED, stranger } from './ports.ts';

export interface TcpConfig extends ListenerConfig {
  maxConnections: number;
  maxPerAddress: number;
  idleMs: number;
}

/** Key and certificate of this manager, PEM. */
export interface SyslogTls {
  key: string;
  cert: string;
}

/** After its end of the connection was closed a sender has so long to be read to its end. */
const LAST_WORDS_MS = 500;
const HANDSHAKE_MS = 10_000;
const NO_TLS = 'the TLS handshake failed';
const TOO_MANY_CONNECTIONS = 'more connections than are allowed';

/** Syslog over TCP, or over TLS (RFC 5425) when `tls` is given. A sender that is too fast, or for which the store is too slow, is held up: nothing of it is dropped. */
export function createTcpListener(config: TcpConfig, deps: SyslogDeps, tls: SyslogTls | null = null) {
  const way = tls === null ? 'syslog-tcp' : 'syslog-tls';
  const { door, isAllowed, nowMs, log } = deps;
  /** By address: its connections, and what hands on what was read of each. */
  const open = new Map<string, Map<Socket, () => void>>();
  let [count, stopping] = [0, false];
  let server: Server | null = null;

  function onConnection(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const address = plainAddress(socket.remoteAddress);
    const sender = { way, id: address, name: address } as const;
    const mine = open.get(address) ?? new Map<Socket, () => void>();
    if (stopping || !isAllowed(address)) {
      door.refused(stranger(way), NOT_ALLOWED);
      return void socket.destroy();
    }
    if (count >= config.maxConnections || mine.size >= config.maxPerAddress) {
      door.refused(sender, TOO_MANY_CONNECTIONS);
      return void socket.destroy();
    }
    open.set(address, mine.set(socket, drain));
    count += 1;
    const framing = createFraming(config.maxMessageBytes);
    let waiting: SyslogMessage[] = [];
    let at = 0;
    let timer: NodeJS.Timeout | undefined;

    /** Hands on what was read; while there is no room, nothing more is read. */
    function drain(): void {
      for (; at < waiting.length; at += 1) {
        const pauseMs = stopping ? 0 : door.pauseMs(sender);
        if (pauseMs > 0) {
          socket.pause();
          timer = setTimeout(drain, Math.min(1_000, pauseMs));
          return;
        }
        door.offer(sender, readSyslog(waiting[at]!, address, way, nowMs()));
      }
      waiting = [];
      at = 0;
      socket.resume();
    }

    socket.setTimeout(config.idleMs, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      for (const message of framing.push(chunk)) waiting.push(message);
      clearTimeout(timer);
      drain();
    });
    socket.once('close', () => {
      const last = framing.end();
      if (last !== null) waiting.push(last);
      clearTimeout(timer);
      mine.delete(socket);
      if (mine.size === 0) open.delete(address);
      count -= 1;
      drain();
    });
  }

  /** Before the handshake: it costs more than a stranger may ask for. */
  function refuseStrangers(socket: Socket): void {
    if (isAllowed(plainAddress(socket.remoteAddress))) return;
    door.refused(stranger(way), NOT_ALLOWED);
    socket.destroy();
  }

  return {
    /** Rejects when the port cannot be opened. */
    async start(): Promise<void> {
      server = tls === null ? createServer(onConnection) : createTlsServer(tlsOptions(tls), onConnection);
      if (tls !== null) server.on('connection', refuseStrangers);
      // Those in their handshake count, too.
      server.maxConnections = config.maxConnections * 2;
      server.on('tlsClientError', (_error, socket: Socket) => {
        const address = plainAddress(socket.remoteAddress);
        if (isAllowed(address)) door.refused({ way, id: address, name: address }, NO_TLS);
        socket.destroy();
      });
      server.listen(config.port, config.listen);
      await once(server, 'listening');
      server.on('error', (error) => log.error('syslog over TCP failed', { way, error: String(error) }));
    },
    address() {
      const bound = server?.address() as AddressInfo | null | undefined;
      return bound ? `${bound.address}:${bound.port}` : null;
    },
    /**
     * Takes no one new, closes our end and reads what is on its way: a sender that looks before it sends, as rsyslog does,
     * loses nothing. What was read is handed on first.
     */
    async stop(): Promise<void> {
      stopping = true;
      const closing = server;
      server = null;
      if (closing === null) return;
      const sockets = [...open.values()].flatMap((mine) => [...mine]);
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      for (const [socket, drain] of sockets) {
        drain();
        socket.end();
      }
      const timer = setTimeout(() => {
        for (const [socket] of sockets) socket.destroy();
      }, LAST_WORDS_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

function tlsOptions({ key, cert }: SyslogTls) {
  return { key, cert, minVersion: 'TLSv1.2' as const, handshakeTimeout: HANDSHAKE_MS };
}

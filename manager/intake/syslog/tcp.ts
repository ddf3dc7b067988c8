import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
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

const TOO_MANY_CONNECTIONS = 'more connections than are allowed';

/** Syslog over TCP. A sender that is too fast, or for which the store is too slow, is held up: nothing of it is dropped. */
export function createTcpListener(config: TcpConfig, deps: SyslogDeps) {
  const { door, isAllowed, nowMs, log } = deps;
  const open = new Map<string, Set<Socket>>();
  let [count, stopping] = [0, false];
  let server: Server | null = null;

  function onConnection(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const address = plainAddress(socket.remoteAddress);
    const sender = { way: 'syslog-tcp', id: address, name: address } as const;
    const mine = open.get(address) ?? new Set();
    if (stopping || !isAllowed(address)) {
      door.refused(stranger('syslog-tcp'), NOT_ALLOWED);
      return void socket.destroy();
    }
    if (count >= config.maxConnections || mine.size >= config.maxPerAddress) {
      door.refused(sender, TOO_MANY_CONNECTIONS);
      return void socket.destroy();
    }
    open.set(address, mine.add(socket));
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
        door.offer(sender, readSyslog(waiting[at]!, address, 'syslog-tcp', nowMs()));
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

  return {
    /** Rejects when the port cannot be opened. */
    async start(): Promise<void> {
      server = createServer(onConnection);
      server.listen(config.port, config.listen);
      await once(server, 'listening');
      server.on('error', (error) => log.error('syslog over TCP failed', { error: String(error) }));
    },
    address() {
      const bound = server?.address() as AddressInfo | null | undefined;
      return bound ? `${bound.address}:${bound.port}` : null;
    },
    /** What was read is handed on first. */
    async stop(): Promise<void> {
      stopping = true;
      const closing = server;
      server = null;
      for (const sockets of open.values()) for (const socket of sockets) socket.destroy();
      if (closing !== null) await new Promise<void>((resolve) => closing.close(() => resolve()));
    },
  };
}

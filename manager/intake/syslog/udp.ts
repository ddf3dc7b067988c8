import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { plainAddress } from './allow-list.ts';
import { readSyslog } from './parse.ts';
import type { ListenerConfig, SyslogDeps } from './ports.ts';
import { NOT_ALLOWED, stranger } from './ports.ts';

/** What the kernel holds while we are busy; it takes less where the system allows less. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** Syslog over UDP: each datagram is a message. What is too much is dropped, with a gap record. */
export function createUdpListener({ listen, port, maxMessageBytes }: ListenerConfig, deps: SyslogDeps) {
  const { door, isAllowed, nowMs, log } = deps;
  let socket: Socket | null = null;

  return {
    /** Rejects when the port cannot be opened. */
    async start(): Promise<void> {
      socket = createSocket({ type: isIPv6(listen) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
      socket.on('message', (bytes, peer) => {
        const address = plainAddress(peer.address);
        if (!isAllowed(address)) return door.refused(stranger('syslog-udp'), NOT_ALLOWED);
        const sender = { way: 'syslog-udp', id: address, name: address } as const;
        // A flood costs no reading: what would be dropped is dropped unread.
        if (door.pauseMs(sender) > 0) return door.dropped(sender, 'more lines than could be taken', 1);
        const message = { bytes: bytes.subarray(0, maxMessageBytes), wholeBytes: bytes.length };
        door.offer(sender, readSyslog(message, address, 'syslog-udp', nowMs()));
      });
      socket.bind(port, listen);
      await once(socket, 'listening');
      socket.on('error', (error) => log.error('syslog over UDP failed', { error: String(error) }));
    },
    address: () => (socket === null ? null : `${socket.address().address}:${socket.address().port}`),
    async stop(): Promise<void> {
      const closing = socket;
      socket = null;
      if (closing === null) return;
      await new Promise<void>((resolve) => closing.close(() => resolve()));
    },
  };
}

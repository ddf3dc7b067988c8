import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';

const TLS_HANDSHAKE = 0x16;

/**
 * Lets an HTTP server speak TLS on the same port: the first byte of a connection tells which one it is. `tls` is null when
 * there is no certificate; such connections are then closed. A peer that says nothing is dropped after `silenceMs`.
 */
export function shareOnePort(server: Server, tls: TlsServer | null, silenceMs: number): void {
  const [accept] = server.listeners('connection') as ((socket: Socket) => void)[];
  if (accept === undefined) throw new Error('an HTTP server without its connection listener');
  server.removeAllListeners('connection');
  const acceptPlain = (socket: Socket) => accept.call(server, socket);
  tls?.on('secureConnection', acceptPlain);
  server.on('connection', (socket: Socket) => {
    const drop = () => socket.destroy();
    socket.on('error', drop);
    socket.setTimeout(silenceMs, drop);
    const look = () => {
      const first = socket.read(1) as Buffer | null;
      if (first === null) return;
      socket.off('readable', look);
      socket.off('timeout', drop);
      socket.setTimeout(0);
      socket.unshift(first);
      if (first[0] !== TLS_HANDSHAKE) return acceptPlain(socket);
      if (tls === null) return drop();
      tls.emit('connection', socket);
    };
    socket.on('readable', look);
  });
}

import { io, type Socket } from 'socket.io-client';
import type { ClientEvents, ServerEvents } from '../../../common/wire/live.ts';

export type LiveSocket = Socket<ServerEvents, ClientEvents>;

/** The one connection of a signed-in console. It does not connect before `connect()` is called. */
export function createSocket(): LiveSocket {
  return io({
    autoConnect: false,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 250,
    reconnectionDelayMax: 3_000,
    timeout: 8_000,
    withCredentials: true,
  });
}

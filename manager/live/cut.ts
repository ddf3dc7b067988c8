import type { LiveSocket } from './socket-event.ts';

interface WebSocketPart {
  readonly readyState: number;
  terminate(): void;
}
const CLOSED = 3;

/**
 * Ends a connection and waits for no word of the peer: one that does not read would otherwise stay for the half minute
 * that a closing handshake is given. Returns how to end it for good; before that the peer may still read why.
 */
export function closeConnection(socket: LiveSocket): { isOpen(): boolean; cut(): void } {
  const { conn } = socket;
  const { socket: webSocket } = conn.transport as unknown as { socket?: WebSocketPart };
  socket.disconnect(true);
  return {
    isOpen: () => webSocket !== undefined && webSocket.readyState !== CLOSED,
    cut() {
      conn.close(true);
      webSocket?.terminate?.();
    },
  };
}

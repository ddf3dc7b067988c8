/** The part of an engine.io connection that tells how far the network has taken what was sent. */
export interface Connection {
  readonly transport: Transport;
  readonly writeBuffer: readonly { data?: unknown }[];
  on(event: 'upgrade', handler: (transport: Transport) => void): unknown;
}

interface Transport {
  readonly writable: boolean;
  on(event: 'ready', handler: () => void): unknown;
}

/**
 * Flow control of one socket. The kernel takes what a reading peer can take; what it has not taken yet is "in flight",
 * and no more than a window of it ever waits in this process. Who has more to send keeps it, in a queue that has a cap.
 */
export interface Outbox {
  /** Nothing is in flight: send at once. */
  readonly idle: boolean;
  /** There is room in the window. */
  readonly open: boolean;
  /** What answers and events wait in the connection's own buffer, bytes: a peer that asks and never reads fills it. */
  heldBytes(): number;
  /** Something of about this size was just handed to the socket. */
  sent(bytes: number): void;
  /** Calls back, in turn, whenever there is room again. Returns how to stop. */
  onRoom(callback: () => void): () => void;
}

export function createOutbox(connection: Connection, windowBytes: number): Outbox {
  const waiting = new Set<() => void>();
  /** Handed to the transport and not yet taken by the kernel. */
  let sendingBytes = 0;
  /** Still in the connection's own buffer. */
  let bufferedBytes = 0;

  const isIdle = () => connection.transport.writable && connection.writeBuffer.length === 0;

  // engine.io flushes its buffer in its own handler of `ready`, which was registered before this one.
  function onReady(): void {
    sendingBytes = isIdle() ? 0 : bufferedBytes;
    bufferedBytes = 0;
    for (const callback of [...waiting]) {
      if (sendingBytes + bufferedBytes >= windowBytes) return;
      // Back of the line: with several tails on one socket each has its turn.
      if (waiting.delete(callback)) waiting.add(callback);
      callback();
    }
  }

  connection.transport.on('ready', onReady);
  connection.on('upgrade', (transport) => transport.on('ready', onReady));

  return {
    get idle() {
      return isIdle();
    },
    get open() {
      return isIdle() || sendingBytes + bufferedBytes < windowBytes;
    },
    heldBytes() {
      let bytes = 0;
      for (const { data } of connection.writeBuffer)
        bytes += typeof data === 'string' || data instanceof Uint8Array ? data.length : 0;
      return bytes;
    },
    sent(bytes) {
      if (connection.writeBuffer.length === 0) sendingBytes += bytes;
      else bufferedBytes += bytes;
    },
    onRoom(callback) {
      waiting.add(callback);
      return () => void waiting.delete(callback);
    },
  };
}

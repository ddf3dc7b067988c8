/** Largest message of either end of the compute server's socket, bytes. */
export const LIMIT_FRAME_BYTES = 32 * 1024 * 1024;

const HEAD_BYTES = 4;

/** One message as it goes over the socket: its length in four bytes, big-endian, then its JSON. */
export function frameOf(message: unknown): Buffer {
  const body = JSON.stringify(message);
  const bytes = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + bytes);
  frame.writeUInt32BE(bytes);
  frame.write(body, HEAD_BYTES);
  return frame;
}

/**
 * Cuts what a socket brings into messages. Returns those that are whole now. Throws on a frame above the limit or one
 * that is not JSON: nothing behind it can be read any more.
 */
export function createFrameReader(): (chunk: Buffer) => unknown[] {
  let parts: Buffer[] = [];
  let held = 0;
  return (chunk) => {
    parts.push(chunk);
    held += chunk.length;
    const messages: unknown[] = [];
    for (;;) {
      if (held < HEAD_BYTES) return messages;
      if (parts[0]!.length < HEAD_BYTES) parts = [Buffer.concat(parts)];
      const bytes = parts[0]!.readUInt32BE();
      if (bytes > LIMIT_FRAME_BYTES) throw new Error(`a frame of ${bytes} bytes is above the limit`);
      if (held < HEAD_BYTES + bytes) return messages;
      // Joined only once a message is whole: a large one comes in hundreds of pieces.
      const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      messages.push(JSON.parse(all.toString('utf8', HEAD_BYTES, HEAD_BYTES + bytes)));
      parts = [all.subarray(HEAD_BYTES + bytes)];
      held -= HEAD_BYTES + bytes;
    }
  };
}

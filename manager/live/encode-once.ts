import type { LinesBatch } from '../../common/wire/live.ts';
import type { LiveServer } from './socket-event.ts';

/** What the adapter of Socket.io makes of a message before it goes to each socket. */
interface EncodingAdapter {
  _encode?(packet: { data: unknown[] }, options: unknown): unknown;
}

/**
 * A message that is sent again, the very same object, is not encoded again. Socket.io encodes once for all who get a
 * message in one step; viewers that lag a little get theirs in many steps, and a crowd of them would cost a processor.
 */
export function encodeOnce(io: LiveServer): void {
  const adapter = io.of('/').adapter as unknown as EncodingAdapter;
  const encode = adapter._encode?.bind(adapter);
  // Another version of Socket.io may not have it: it then costs what it costs.
  if (encode === undefined) return;
  const known = new WeakMap<object, unknown>();
  adapter._encode = (packet, options) => {
    const [name, body] = packet.data;
    // The others are made anew each time.
    if (name !== 'logs:lines' || typeof body !== 'object' || body === null) return encode(packet, options);
    const made = known.get(body) ?? encode(packet, options);
    known.set(body, made);
    return made;
  };
}

const KEPT = 8;

/** Gives viewers of one filter that lag alike the very same message. */
export function createSharedBatches() {
  const recent = new Map<string, LinesBatch>();
  return {
    /** A batch that says the same as this one: an older object where there is one. */
    same(batch: LinesBatch): LinesBatch {
      const { id, lines, skipped, position } = batch;
      const key = JSON.stringify([id, lines[0]?.id, lines.at(-1)?.id, lines.length, skipped, position]);
      const known = recent.get(key);
      if (known !== undefined) return known;
      const oldest = recent.keys().next().value;
      if (recent.size >= KEPT && oldest !== undefined) recent.delete(oldest);
      recent.set(key, batch);
      return batch;
    },
    clear: () => recent.clear(),
  };
}

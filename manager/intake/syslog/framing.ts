import type { SyslogMessage } from './parts.ts';

const NEWLINE = 0x0a;
const LONGEST_COUNT = 9;

/** Cuts a stream into messages, RFC 6587: each either with its length in front or up to a line end. */
export interface Framing {
  /** The messages that are whole now. */
  push(chunk: Uint8Array): SyslogMessage[];
  /** What was left when the stream ended. */
  end(): SyslogMessage | null;
}

type State =
  | { kind: 'start'; digits: string }
  /** Up to a line end. */
  | { kind: 'line' }
  /** So many bytes are still to come. */
  | { kind: 'counted'; left: number };

/** Never keeps more than `limitBytes` of a message: what is longer is cut, and how long it was is told. */
export function createFraming(limitBytes: number): Framing {
  let state: State = { kind: 'start', digits: '' };
  let kept: Uint8Array[] = [];
  let [keptBytes, wholeBytes] = [0, 0];

  function keep(bytes: Uint8Array): void {
    wholeBytes += bytes.length;
    if (keptBytes >= limitBytes || bytes.length === 0) return;
    // A copy: a few bytes must not hold the whole buffer of the socket.
    const part = Uint8Array.prototype.slice.call(bytes, 0, limitBytes - keptBytes);
    kept.push(part);
    keptBytes += part.length;
  }

  function take(brokenOff = false): SyslogMessage {
    const message = { bytes: Buffer.concat(kept), wholeBytes, ...(brokenOff ? { brokenOff } : {}) };
    kept = [];
    [keptBytes, wholeBytes] = [0, 0];
    state = { kind: 'start', digits: '' };
    return message;
  }

  /** Handles bytes from `at` on; answers where to go on. */
  function step(chunk: Uint8Array, at: number, out: SyslogMessage[]): number {
    if (state.kind === 'counted') {
      const end = Math.min(chunk.length, at + state.left);
      keep(chunk.subarray(at, end));
      state.left -= end - at;
      if (state.left === 0) out.push(take());
      return end;
    }
    if (state.kind === 'line') {
      const found = chunk.indexOf(NEWLINE, at);
      const end = found === -1 ? chunk.length : found;
      keep(chunk.subarray(at, end));
      if (found === -1) return end;
      out.push(take());
      return end + 1;
    }
    const byte = chunk[at]!;
    const { digits } = state;
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (isDigit && digits.length < LONGEST_COUNT && (digits !== '' || byte !== 0x30)) {
      state.digits += String.fromCharCode(byte);
      return at + 1;
    }
    // Blank lines between messages are nothing.
    if (digits === '' && (byte === NEWLINE || byte === 0x0d || byte === 0)) return at + 1;
    if (digits !== '' && byte === 0x20) {
      state = { kind: 'counted', left: Number(digits) };
      return at + 1;
    }
    state = { kind: 'line' };
    keep(Buffer.from(digits));
    return at;
  }

  return {
    push(chunk) {
      const out: SyslogMessage[] = [];
      for (let at = 0; at < chunk.length; ) at = step(chunk, at, out);
      return out;
    },
    end() {
      if (state.kind === 'start') {
        if (state.digits === '') return null;
        keep(Buffer.from(state.digits));
      }
      const brokenOff = state.kind === 'counted';
      return wholeBytes === 0 ? null : take(brokenOff);
    },
  };
}

import type { SerialConsoles, SerialHandlers, SerialState } from '../models/serial-console.ts';
import { createKeySender, type KeySender } from './key-sender.ts';
import type { LiveSocket } from './socket.ts';

const ACK_TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;
/** These do not change by asking again. */
const FINAL = new Set(['not-found', 'forbidden', 'bad-request', 'no-capacity']);

interface Open {
  instance: string;
  wanted: { write: boolean; force: boolean };
  /** The manager's name for it; null until it has answered. */
  id: string | null;
  /** Counts the questions: a late answer to an earlier one is nobody's. */
  asked: number;
  handlers: SerialHandlers;
  state: SerialState;
  keys: KeySender;
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

/** Serial consoles over the one socket; each is asked for again when the socket is back. */
export function createSerialConsoles(socket: LiveSocket): SerialConsoles {
  const all = new Set<Open>();
  const byId = (id: string) => [...all].find((open) => open.id === id);

  function tell(open: Open, change: Partial<SerialState>): void {
    open.state = { ...open.state, ...change };
    open.handlers.onState(open.state);
  }

  function request(open: Open): void {
    if (!all.has(open) || !socket.connected) return;
    open.asked += 1;
    const { asked, instance, wanted } = open;
    tell(open, { phase: 'opening', reason: null, code: null });
    socket.timeout(ACK_TIMEOUT_MS).emit('console:open', { instance, ...wanted }, (timedOut, answer) => {
      if (!all.has(open) || open.asked !== asked) {
        // Nobody waits for it any more, and it would stay open as long as this page.
        if (!timedOut && answer.err === null) socket.emit('console:close', { console: answer.data.console });
        return;
      }
      if (timedOut || answer.err !== null) {
        const refused = !timedOut && answer.err !== null && FINAL.has(answer.err);
        if (!timedOut && answer.err !== null)
          tell(open, { phase: refused ? 'refused' : 'ended', reason: answer.message, code: answer.err });
        if (!refused) setTimeout(() => open.asked === asked && request(open), RETRY_MS);
        return;
      }
      open.id = answer.data.console;
      // Taking over is meant once, not at each new connection.
      open.wanted.force = false;
      tell(open, { write: answer.data.write });
      open.handlers.onRecent(bytesOf(answer.data.recent));
    });
  }

  function shut(open: Open): void {
    open.keys.clear();
    if (open.id !== null && socket.connected) socket.emit('console:close', { console: open.id });
    open.id = null;
  }

  socket.on('console:data', ({ console: id, data, skipped }) => byId(id)?.handlers.onData(bytesOf(data), skipped));
  socket.on('console:state', ({ console: id, hostName, ended, code }) => {
    const open = byId(id);
    if (open === undefined) return;
    tell(open, { phase: ended === null ? 'open' : 'ended', hostName, reason: ended, code: code ?? null });
  });
  socket.on('connect', () => {
    for (const open of all) request(open);
  });
  socket.on('disconnect', () => {
    for (const open of all) {
      open.id = null;
      open.keys.clear();
      tell(open, { phase: 'lost', reason: null, code: null });
    }
  });

  return (instance, write, handlers) => {
    const open: Open = {
      ...{ instance, handlers, wanted: { write, force: false }, id: null, asked: 0 },
      state: { phase: 'opening', hostName: '', reason: null, code: null, write },
      keys: createKeySender((data, done) => {
        if (open.id === null || !socket.connected) return done('The console is not connected.');
        socket.timeout(ACK_TIMEOUT_MS).emit('console:input', { console: open.id, data }, (timedOut, answer) => {
          if (timedOut) done('The manager did not take these keys in time.');
          else done(answer.err === null ? null : answer.message);
        });
      }, handlers.onUnsent),
    };
    all.add(open);
    request(open);
    return {
      type: (keys) => open.keys.push(keys),
      reopen({ write: may, force = false }) {
        shut(open);
        open.wanted = { write: may, force };
        request(open);
      },
      close() {
        shut(open);
        all.delete(open);
      },
    };
  };
}

import { createConnection, type Socket } from 'node:net';
import type { Logger } from '../../logging/logger.ts';
import { createFrameReader, frameOf } from './frames.ts';
import { type ServerMessage, type ServerRequest, serverMessageSchema } from './server-messages.ts';

export interface ServerClientConfig {
  socketPath: string;
  /** Pause before the second try to connect; it doubles up to the longest one. */
  firstRetryMs: number;
  longestRetryMs: number;
  pingEveryMs: number;
  /** A server that said nothing for so long hangs: it is let go of, which ends its sessions. */
  silenceMs: number;
}

export interface ServerClientHandlers {
  /** Messages that came together, in order. */
  onMessages(messages: ServerMessage[]): void;
  /** There is no server, or none any more. `reason` is for people. Told once until it answers again. */
  onGone(reason: string): void;
}

/** The agent's end of the compute server's socket. It connects, and connects again, until it is stopped. */
export interface ServerClient {
  start(): void;
  stop(): void;
  /** False when no server is there to take it. */
  send(request: ServerRequest): boolean;
}

export function createServerClient(
  config: ServerClientConfig,
  { onMessages, onGone, log }: ServerClientHandlers & { log: Pick<Logger, 'warn'> },
): ServerClient {
  let socket: Socket | null = null;
  let connected = false;
  let gone = false;
  let running = false;
  let retryMs = config.firstRetryMs;
  let retry: NodeJS.Timeout | null = null;
  let pings = 0;
  let heardAt = 0;
  let checkedAt = 0;
  let pulse: NodeJS.Timeout | null = null;

  function dial(): void {
    retry = null;
    const mine = createConnection(config.socketPath);
    const read = createFrameReader();
    let reason = '';
    socket = mine;
    mine.on('connect', () => {
      connected = true;
      heardAt = performance.now();
      checkedAt = heardAt;
      send({ op: 'hello', v: 1 });
      pulse = setInterval(check, config.pingEveryMs);
      pulse.unref();
    });
    mine.on('data', (chunk) => {
      heardAt = performance.now();
      retryMs = config.firstRetryMs;
      gone = false;
      try {
        const messages = read(chunk).flatMap(parsed);
        if (messages.length > 0 && socket === mine) onMessages(messages);
      } catch (error) {
        reason = `it does not speak as agreed: ${(error as Error).message}`;
        mine.destroy();
      }
    });
    mine.on('error', (error: NodeJS.ErrnoException) => {
      reason ||= error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? '' : error.message;
    });
    mine.on('close', () => {
      if (socket === mine) ended(reason);
    });
  }

  function ended(reason: string): void {
    const was = connected;
    socket = null;
    connected = false;
    if (pulse !== null) clearInterval(pulse);
    if (!gone) {
      gone = true;
      const what = was ? 'The compute server ended' : `No compute server answers at ${config.socketPath}`;
      onGone(reason === '' ? what : `${what}: ${reason}`);
    }
    if (!running) return;
    retry = setTimeout(dial, retryMs);
    retry.unref();
    retryMs = Math.min(config.longestRetryMs, retryMs * 2);
  }

  function check(): void {
    // We slept ourselves (a suspended machine): what came meanwhile is not read yet, and is not the server's silence.
    const lateMs = performance.now() - checkedAt - config.pingEveryMs;
    checkedAt = performance.now();
    if (lateMs > config.pingEveryMs) heardAt += lateMs;
    if (performance.now() - heardAt >= config.silenceMs) {
      socket?.destroy(new Error(`it said nothing for ${config.silenceMs / 1000} s`));
    } else send({ op: 'ping', id: ++pings });
  }

  function parsed(message: unknown): ServerMessage[] {
    const read = serverMessageSchema.safeParse(message);
    if (read.success) return [read.data];
    // One message that is not understood (a newer server) must not end the sessions of all.
    log.warn('A message of the compute server was not understood', {
      kind: String((message as { t?: unknown } | null)?.t).slice(0, 64),
      reason: read.error.issues[0]?.message ?? '',
    });
    return [];
  }

  function send(request: ServerRequest): boolean {
    if (socket === null || !connected) return false;
    socket.write(frameOf(request));
    return true;
  }

  return {
    start() {
      running = true;
      dial();
    },
    stop() {
      running = false;
      if (retry !== null) clearTimeout(retry);
      if (pulse !== null) clearInterval(pulse);
      const mine = socket;
      socket = null;
      connected = false;
      mine?.destroy();
    },
    send,
  };
}

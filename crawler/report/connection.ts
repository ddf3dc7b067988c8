import { io, type Socket } from 'socket.io-client';
import { z } from 'zod';
import { findingSchema, SCAN_KINDS } from '../../common/model/discovery.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import { type EpochCursor, type EpochRange, epochCursorSchema } from '../../common/wire/link.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import type { Logger } from '../log.ts';

export const runRequestSchema = z.object({
  scanId: z.string().min(1).max(64),
  kind: z.enum(SCAN_KINDS),
  range: z.string().max(64),
  actor: z.string().max(255),
});
export type RunRequest = z.output<typeof runRequestSchema>;
const knownSchema = z.object({
  list: z
    .array(z.object({ address: findingSchema.shape.address, port: z.number().int(), id: z.string().max(64) }))
    .max(100_000),
});
export type KnownHost = z.output<typeof knownSchema>['list'][number];
const readyAckSchema = z.object({ cursors: z.array(epochCursorSchema), newEpoch: z.string().nullish() });

export interface ConnectionOptions {
  url: string;
  /** PEM of the CA that signed the manager; absent: the system's own. */
  ca: string | undefined;
  /** The token, or null while it is not there yet. Read again at each try. */
  token(): string | null;
  version: string;
  ranges: string[];
  /** What the spool holds. */
  epochs(): EpochRange[];
  log: Logger;
}

export interface ConnectionHandlers {
  /** The manager knows us: it has our lines up to these cursors and may have forgotten everything else. */
  onReady(cursors: EpochCursor[], newEpoch: string | null): void;
  onDown(): void;
  onRun(request: RunRequest): void;
  onKnown(list: KnownHost[]): void;
}

type EventName = 'crawler:scan' | 'crawler:findings' | 'crawler:vanished';
type Client = Socket<ServerEvents, ClientEvents>;

/** The one connection to the manager. What is told while it is down is not kept: `onReady` tells everything again. */
export interface Connection {
  start(): void;
  stop(): void;
  tell<K extends EventName>(event: K, body: Parameters<ClientEvents[K]>[0]): void;
  sendLines(frame: Parameters<ClientEvents['crawler:lines']>[0]): Promise<{ next: number; newEpoch?: string }>;
}

const RETRY_MS = { first: 200, longest: 5_000 };
const ACK_LIMIT_MS = 15_000;

export function createConnection(options: ConnectionOptions, handlers: ConnectionHandlers): Connection {
  const { log } = options;
  let socket: Client | null = null;
  let retry: NodeJS.Timeout | undefined;
  let waitMs = RETRY_MS.first;
  let complained = '';
  let ready = false;
  let stopped = false;

  // One line per reason, not one per try.
  function complain(text: string, reason: string): void {
    if (complained !== reason) log.warn(text, { url: options.url, reason });
    complained = reason;
  }
  function again(): void {
    clearTimeout(retry);
    if (stopped) return;
    retry = setTimeout(attempt, waitMs * (0.5 + Math.random() / 2));
    waitMs = Math.min(waitMs * 2, RETRY_MS.longest);
  }
  function attempt(): void {
    const token = options.token();
    if (token === null) {
      complain('waiting for the token of the manager', 'no token file');
      waitMs = RETRY_MS.first;
      again();
      return;
    }
    const fresh: Client = io(options.url, {
      transports: ['websocket'],
      reconnection: false,
      auth: { token },
      ca: options.ca,
      timeout: 10_000,
      forceNew: true,
    });
    socket = fresh;
    const down = (text: string, reason: string) => {
      if (socket !== fresh) return;
      socket = null;
      fresh.disconnect();
      if (ready) handlers.onDown();
      ready = false;
      complain(text, reason);
      again();
    };
    fresh.on('connect_error', (error) => down('the manager cannot be reached; trying on', error.message));
    fresh.on('disconnect', (reason) => down('the connection to the manager was lost; trying on', reason));
    fresh.on('connect', () => void introduce(fresh, down));
    fresh.on('crawler:run', (body) => given(runRequestSchema, body, handlers.onRun));
    fresh.on('crawler:known', (body) => given(knownSchema, body, ({ list }) => handlers.onKnown(list)));
  }
  async function introduce(fresh: Client, down: (text: string, reason: string) => void): Promise<void> {
    try {
      const asked = { version: options.version, ranges: options.ranges, epochs: options.epochs() };
      const answer = unwrap(await fresh.timeout(ACK_LIMIT_MS).emitWithAck('crawler:ready', asked));
      const { cursors, newEpoch } = readyAckSchema.parse(answer);
      waitMs = RETRY_MS.first;
      complained = '';
      ready = true;
      log.info('connected to the manager', { url: options.url });
      handlers.onReady(cursors, newEpoch ?? null);
    } catch (error) {
      down('the manager refused the crawler; trying on', String((error as Error).message));
    }
  }
  function given<S extends z.ZodType>(schema: S, body: unknown, handle: (value: z.output<S>) => void): void {
    const parsed = schema.safeParse(body);
    if (parsed.success) handle(parsed.data);
    else log.warn('the manager sent something that is not understood', { reason: parsed.error.issues[0]?.message });
  }

  return {
    start: attempt,
    stop() {
      stopped = true;
      clearTimeout(retry);
      const last = socket;
      socket = null;
      last?.disconnect();
    },
    tell(event, body) {
      // The union of the three event bodies is one argument for each name; socket.io's types cannot see that.
      if (ready) (socket as Socket | null)?.emit(event, body);
    },
    async sendLines(frame) {
      if (socket === null || !ready) throw new Error('not connected');
      return unwrap(await socket.timeout(ACK_LIMIT_MS).emitWithAck('crawler:lines', frame));
    },
  };
}

function unwrap<T>(answer: Envelope<T>): T {
  if (answer?.err !== null) throw new Error(String(answer?.message ?? answer?.err ?? 'no answer').slice(0, 255));
  return answer.data;
}

import { randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import winston from 'winston';
import TransportStream from 'winston-transport';
import type { Info } from './line-of-info.ts';
import { plainInfo } from './plain-info.ts';
import { type Handshake, isFromHere } from './socket-transport/admission.ts';
import { createRing, type LiveLine, type Ring } from './socket-transport/ring.ts';
import { createRoom, type Room } from './socket-transport/room.ts';

export type { Handshake } from './socket-transport/admission.ts';
export type { LiveLine } from './socket-transport/ring.ts';
export type { Watch } from './socket-transport/room.ts';
export type { LinesMessage } from './socket-transport/viewer.ts';

export interface SocketTransportOptions extends TransportStream.TransportStreamOptions {
  /** The program's own web server; it answers `/socket.io/` from then on, and everything else as before. */
  server?: HttpServer;
  /** Or a Socket.io server that the program has already. */
  io?: Server;
  /** `/logs` when absent. */
  namespace?: string;
  /**
   * Who may look. Without it only pages and programs of this machine may. Anything but true, and an error, refuses.
   */
  authorize?: (handshake: Handshake) => boolean | Promise<boolean>;
  /** How many lines are kept for viewers that come later; 1,000 when absent. */
  backlog?: number;
  /** How many lines wait for one viewer that is slow; 1,000 when absent. Beyond it the oldest go, counted. */
  viewerLines?: number;
  /** 200 when absent. */
  maxViewers?: number;
  /** Lines of this time go together, milliseconds; 20 when absent. 0: those of one turn of the event loop. */
  batchMs?: number;
  /** Wall clock, milliseconds. */
  now?: () => number;
}

const MAX_REQUEST_BYTES = 16 * 1024;

/**
 * A winston transport that streams lines to browsers, for any program of Node. A call costs a copy of the line; encoding
 * and filters come later, once for all viewers with the same filter. Nobody watching costs the ring alone.
 */
export class SocketTransport extends TransportStream {
  readonly name = 'socket';
  /** Names this run of the program; numbers of lines count within it. */
  readonly run = randomUUID();
  readonly #io: Server;
  readonly #ownsIo: boolean;
  readonly #ring: Ring;
  readonly #room: Room;
  readonly #batchMs: number;
  readonly #now: () => number;
  #batch: LiveLine[] = [];
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  #lines = 0;
  #isClosed = false;

  constructor(options: SocketTransportOptions) {
    super(options);
    const { server, io, authorize = isFromHere, namespace = '/logs', batchMs = 20 } = options;
    if ((server === undefined) === (io === undefined)) throw new TypeError('give either server or io');
    this.#ownsIo = io === undefined;
    this.#io = io ?? new Server(server, { maxHttpBufferSize: MAX_REQUEST_BYTES, perMessageDeflate: false });
    this.#batchMs = batchMs;
    this.#now = options.now ?? Date.now;
    this.#ring = createRing(options.backlog ?? 1_000);
    const room = this.#io.of(namespace);
    room.use((socket, next) => {
      const { address, headers, auth } = socket.handshake;
      Promise.resolve()
        .then(() => authorize({ address, headers, auth }))
        .then((allowed) => next(allowed === true ? undefined : new Error('not allowed')))
        .catch((error: Error) => {
          this.emit('warn', error);
          next(new Error('not allowed'));
        });
    });
    this.#room = createRoom(
      { run: this.run, viewerLines: options.viewerLines ?? 1_000, maxViewers: options.maxViewers ?? 200 },
      { namespace: room, ring: this.#ring, severities: () => this.#severities() },
    );
  }

  override log(info: Info, next: () => void): void {
    try {
      if (this.#isClosed) return;
      this.#lines += 1;
      const line: LiveLine = { n: this.#lines, ...plainInfo(info, this.#now()) };
      this.#ring.push(line);
      if (this.#room.size() > 0) {
        this.#batch.push(line);
        this.#schedule();
      }
      if (this.listenerCount('logged') > 0) setImmediate(() => this.emit('logged', info));
    } catch (error) {
      this.emit('warn', error);
    } finally {
      next();
    }
  }

  /** Viewers that are connected. */
  get viewers(): number {
    return this.#room.size();
  }

  /** Hands what is gathered to the connections now. */
  flush(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer as NodeJS.Timeout);
      clearImmediate(this.#timer as NodeJS.Immediate);
    }
    this.#timer = null;
    const lines = this.#batch;
    this.#batch = [];
    if (lines.length > 0) this.#room.tell(lines);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.close();
    callback();
  }

  /** Sends what is gathered and lets the viewers go. The program's server is left to the program. */
  override close(): void {
    if (this.#isClosed) return;
    this.flush();
    this.#isClosed = true;
    // Behind the lines that were just handed over.
    setTimeout(() => {
      this.#room.end();
      if (this.#ownsIo) this.#io.engine.close();
    }, 50);
  }

  #schedule(): void {
    if (this.#timer !== null) return;
    const run = () => this.flush();
    this.#timer = this.#batchMs === 0 ? setImmediate(run) : setTimeout(run, this.#batchMs);
  }

  #severities(): Record<string, number> {
    return (this as { levels?: Record<string, number> }).levels ?? winston.config.npm.levels;
  }
}

import TransportStream from 'winston-transport';
import type { Source } from '../common/model/line.ts';
import { type Info, lineOfInfo } from './line-of-info.ts';
import type { LineSink } from './line-sink.ts';

export interface SpoolTransportOptions extends TransportStream.TransportStreamOptions {
  sink: LineSink;
  source: Source;
  /** Wall clock, milliseconds. */
  now?: () => number;
}

/** A winston transport that hands each call as one line to a sink, such as the durable spool. */
export class SpoolTransport extends TransportStream {
  readonly #sink: LineSink;
  readonly #source: Source;
  readonly #now: () => number;

  constructor(options: SpoolTransportOptions) {
    super(options);
    this.#sink = options.sink;
    this.#source = options.source;
    this.#now = options.now ?? Date.now;
  }

  override log(info: Info, next: () => void): void {
    this.#sink.add(lineOfInfo(info, this.#source, this.#now()));
    if (this.listenerCount('logged') > 0) setImmediate(() => this.emit('logged', info));
    next();
  }
}

import TransportStream from 'winston-transport';
import type { NewLine, Source } from '../common/model/line.ts';
import { visibleText } from '../common/pure/visible-text.ts';
import { type Info, lineOfInfo } from './line-of-info.ts';

export interface ConsoleTransportOptions extends TransportStream.TransportStreamOptions {
  source: Source;
  /** Where the text goes: process.stderr. */
  out: NodeJS.WritableStream & { isTTY?: boolean };
  now?: () => number;
}

const COLOURS = { error: '\u001b[31m', warn: '\u001b[33m', info: '\u001b[36m', debug: '\u001b[90m' } as const;
const PLAIN = /^[\w.:/@+-]+$/;

/** A winston transport for people at a terminal: one event, one line, nothing in it acts on the terminal. */
export class ConsoleTransport extends TransportStream {
  readonly #options: ConsoleTransportOptions;

  constructor(options: ConsoleTransportOptions) {
    super(options);
    this.#options = options;
    // The reader of our output may go away; logging to nobody must not end the program.
    if (options.out.listenerCount('error') === 0) options.out.on('error', () => {});
  }

  override log(info: Info, next: () => void): void {
    const { source, out, now = Date.now } = this.#options;
    out.write(`${consoleText(lineOfInfo(info, source, now()), out.isTTY === true)}\n`);
    if (this.listenerCount('logged') > 0) setImmediate(() => this.emit('logged', info));
    next();
  }
}

/** `2026-01-02T03:04:05.678Z warn  text key=value`, on one line, control characters visible. */
export function consoleText(line: NewLine, colour = false): string {
  const time = new Date(line.tsMs).toISOString();
  const level = line.level.padEnd(5);
  const { unit, instance, job, session } = line;
  const named = Object.entries({ unit, instance, job, session, ...line.fields })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${visibleText(key)}=${valueText(value)}`);
  const shown = colour ? `${COLOURS[line.level]}${level}\u001b[0m` : level;
  return `${time} ${shown} ${visibleText(line.message)}${named.join('')}`;
}

function valueText(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value;
  return visibleText(JSON.stringify(value) ?? 'undefined');
}

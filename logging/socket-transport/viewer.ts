import type { LiveLine } from './ring.ts';

/** What a viewer is sent. `skipped` lines of its filter came before these, and it was too slow for them. */
export interface LinesMessage {
  run: string;
  lines: LiveLine[];
  skipped: number;
  /** True for the lines that are older than the request. */
  backlog?: boolean;
}

/** The part of an engine.io connection that says whether the network takes what is sent. */
export interface ViewerConnection {
  readonly transport: ViewerTransport;
  readonly writeBuffer: readonly unknown[];
  on(event: 'upgrade', handler: (transport: ViewerTransport) => void): unknown;
}
interface ViewerTransport {
  readonly writable: boolean;
  on(event: 'ready', handler: () => void): unknown;
}

const BATCH_LINES = 1_000;

/** One viewer: lines go as fast as its connection takes them; what it does not take waits, up to a cap. */
export function createViewer(
  capLines: number,
  connection: ViewerConnection,
  send: (lines: LiveLine[], skipped: number) => void,
) {
  let waiting: LiveLine[] = [];
  let skipped = 0;
  const isIdle = () => connection.transport.writable && connection.writeBuffer.length === 0;

  function flush(): void {
    while (isIdle() && (waiting.length > 0 || skipped > 0)) {
      const lines = waiting.splice(0, BATCH_LINES);
      const before = skipped;
      skipped = 0;
      send(lines, before);
    }
  }
  // engine.io's own handler of `ready`, which empties its buffer, was registered before this one.
  connection.transport.on('ready', flush);
  connection.on('upgrade', (transport) => transport.on('ready', flush));

  return {
    /** True when a message for several viewers can go to this one as it is. */
    inStep: () => waiting.length === 0 && skipped === 0 && isIdle(),
    push(lines: readonly LiveLine[]): void {
      for (const line of lines) waiting.push(line);
      // The oldest go; a little more than needed, so that a viewer that hangs does not cost a copy at each line.
      if (waiting.length > capLines + BATCH_LINES || (waiting.length > capLines && !isIdle())) {
        const over = waiting.length - capLines;
        waiting = waiting.slice(over);
        skipped += over;
      }
      flush();
    },
    clear(): void {
      waiting = [];
      skipped = 0;
    },
  };
}
export type Viewer = ReturnType<typeof createViewer>;

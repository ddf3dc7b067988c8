import type { Namespace, Socket } from 'socket.io';
import { isWebvirtError } from '../../common/errors.ts';
import { infoMatcher } from '../info-matcher.ts';
import type { LiveLine, Ring } from './ring.ts';
import { createViewer, type LinesMessage, type Viewer, type ViewerConnection } from './viewer.ts';

/** What a viewer may ask for, in its handshake or at any time with `watch`. */
export interface Watch {
  /** Least severe level that is sent; absent: all. */
  level?: string;
  /** Filter in the `q` language. */
  q?: string;
  /** How many old lines come first, newest last. */
  backlog?: number;
  /** Go on behind this line instead, where it is of this `run` of the program. */
  after?: { run: string; n: number };
}

export interface RoomConfig {
  run: string;
  viewerLines: number;
  maxViewers: number;
}

interface Seat {
  socket: Socket;
  viewer: Viewer;
  filter: Filter;
}
interface Filter {
  key: string;
  lets(line: LiveLine): boolean;
}

const MAX_QUERY_CHARS = 2_000;

/** All viewers of one namespace. Each filter is applied once, and its lines are encoded once for all in step. */
export function createRoom(
  config: RoomConfig,
  deps: { namespace: Namespace; ring: Ring; severities(): Record<string, number> },
) {
  const { namespace, ring } = deps;
  const seats = new Map<string, Seat>();
  const message = (lines: LiveLine[], skipped: number): LinesMessage => ({ run: config.run, lines, skipped });

  function filterOf(watch: Watch): Filter {
    const { level, q } = watch;
    const severities = deps.severities();
    if (level !== undefined && severities[level] === undefined)
      throw new RangeError(`There is no level ${JSON.stringify(String(level).slice(0, 32))}.`);
    if (q !== undefined && (typeof q !== 'string' || q.length > MAX_QUERY_CHARS))
      throw new RangeError(`q: text of at most ${MAX_QUERY_CHARS} characters.`);
    const most = level === undefined ? Number.POSITIVE_INFINITY : severities[level]!;
    const matches = infoMatcher(q);
    return {
      key: JSON.stringify([level, q]),
      lets: (line) => (severities[line.level] ?? 0) <= most && (matches === null || matches(line)),
    };
  }

  /** Sets the filter of a viewer and sends the old lines it asks for. Throws what is wrong with it. */
  function watch(seat: Seat, wanted: Watch): void {
    const { after, backlog = 0 } = wanted;
    seat.filter = filterOf(wanted);
    seat.viewer.clear();
    const isKnown = typeof after === 'object' && after?.run === config.run && Number.isInteger(after.n);
    const known = isKnown ? ring.after(after.n) : { lines: ring.all(), lost: 0 };
    const found = known.lines.filter(seat.filter.lets);
    const count = isKnown ? found.length : Number.isInteger(backlog) ? Math.max(0, backlog) : 0;
    const lines = count === 0 ? [] : found.slice(-count);
    if (lines.length > 0 || known.lost > 0)
      seat.socket.emit('lines', { ...message(lines, known.lost), backlog: true } satisfies LinesMessage);
  }

  function wordsOf(error: unknown): string {
    return isWebvirtError(error) ? error.publicMessage : error instanceof RangeError ? error.message : 'bad request';
  }

  namespace.use((socket, next) => {
    if (seats.size >= config.maxViewers) return next(new Error('too many viewers'));
    try {
      filterOf(socket.handshake.auth as Watch);
      next();
    } catch (error) {
      next(new Error(wordsOf(error)));
    }
  });
  namespace.on('connection', (socket: Socket) => {
    const viewer = createViewer(config.viewerLines, socket.conn as unknown as ViewerConnection, (lines, skipped) =>
      socket.emit('lines', message(lines, skipped)),
    );
    const seat: Seat = { socket, viewer, filter: { key: '', lets: () => false } };
    seats.set(socket.id, seat);
    socket.on('disconnect', () => seats.delete(socket.id));
    socket.on('watch', (wanted: unknown, ack: unknown) => {
      const answer = typeof ack === 'function' ? ack : () => undefined;
      try {
        watch(seat, (typeof wanted === 'object' && wanted !== null ? wanted : {}) as Watch);
        answer({ error: null });
      } catch (error) {
        answer({ error: wordsOf(error) });
      }
    });
    watch(seat, socket.handshake.auth as Watch);
  });

  return {
    size: () => seats.size,
    tell(lines: readonly LiveLine[]): void {
      const inStep = new Map<string, string[]>();
      const chosen = new Map<string, LiveLine[]>();
      for (const { socket, viewer, filter } of seats.values()) {
        let mine = chosen.get(filter.key);
        if (mine === undefined) {
          mine = lines.filter(filter.lets);
          chosen.set(filter.key, mine);
        }
        if (mine.length === 0) continue;
        if (!viewer.inStep()) viewer.push(mine);
        else inStep.set(filter.key, [...(inStep.get(filter.key) ?? []), socket.id]);
      }
      for (const [key, ids] of inStep) namespace.to(ids).emit('lines', message(chosen.get(key)!, 0));
    },
    end(): void {
      namespace.disconnectSockets(true);
    },
  };
}
export type Room = ReturnType<typeof createRoom>;

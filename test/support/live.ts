import type { Socket } from 'socket.io-client';
import type { Line } from '../../common/model/line.ts';
import { applyPatch } from '../../common/pure/patch/apply.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { ClientEvents, LinesBatch, ServerEvents, TailRequest } from '../../common/wire/live.ts';

type LiveSocket = Socket<ServerEvents, ClientEvents>;

function dataOf<T>(answer: Envelope<T>): T {
  if (answer.err !== null) throw new Error(`${answer.err}: ${answer.message}`);
  return answer.data;
}

/** Subscribes to an address and resolves when its body satisfies the test: awaits the event, never the clock. */
export async function untilBody<T>(socket: LiveSocket, uri: string, test: (body: T) => boolean): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let body: T;
    let version = 0;
    const look = () => {
      if (!test(body)) return;
      socket.off('change', onChange);
      socket.emit('unsubscribe', { uri }, () => resolve(body));
    };
    const onChange: ServerEvents['change'] = (change) => {
      if (change.uri !== uri) return;
      if (change.version !== version + 1)
        return reject(new Error(`${uri}: version ${change.version} came after ${version}`));
      version = change.version;
      body = applyPatch(body, change.patch) as T;
      look();
    };
    socket.on('change', onChange);
    socket.emit('subscribe', { uri }, (answer) => {
      try {
        const first = dataOf(answer);
        body = first.body as T;
        version = first.version;
        look();
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** Follows lines; `until` resolves with all lines so far once one satisfies the test. */
export function tail(socket: LiveSocket, request: Omit<TailRequest, 'id'>) {
  const id = `t${Math.random().toString(36).slice(2, 8)}`;
  const lines: Line[] = [];
  let skipped = 0;
  let position = '';
  const waiting = new Set<() => void>();
  socket.on('logs:lines', (batch: LinesBatch) => {
    if (batch.id !== id) return;
    lines.push(...batch.lines);
    skipped += batch.skipped;
    position = batch.position;
    for (const look of waiting) look();
  });
  const started = new Promise<void>((resolve, reject) => {
    socket.emit('logs:tail', { id, ...request }, (answer) => {
      try {
        position ||= dataOf(answer).position;
        resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
  return {
    lines,
    started,
    skipped: () => skipped,
    /** Where a later tail goes on. */
    position: () => position,
    until(test: (lines: Line[]) => boolean): Promise<Line[]> {
      return new Promise((resolve) => {
        const look = () => {
          if (!test(lines)) return;
          waiting.delete(look);
          resolve(lines);
        };
        waiting.add(look);
        look();
      });
    },
  };
}

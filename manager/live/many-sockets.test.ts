import { afterEach, expect, it } from 'vitest';
import WebSocket from 'ws';
import { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList } from '../http/host-names.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import { ask, startWorld } from './testing.ts';

let world: Awaited<ReturnType<typeof startWorld>>;
let clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients) client.terminate();
  clients = [];
  await world.stop();
});

const SOCKETS = 1_000;

/** A viewer by hand: a client of the library for each of a thousand costs more than what is tried. */
function viewer(onLine: (message: string) => void): Promise<'in' | 'refused'> {
  const socket = new WebSocket(`ws://127.0.0.1:${world.port}/socket.io/?EIO=4&transport=websocket`);
  clients.push(socket);
  return new Promise((resolve) => {
    socket.on('error', () => resolve('refused'));
    socket.on('message', (data) => {
      const text = String(data);
      if (text.startsWith('0')) socket.send('40{"token":"wv_admin"}');
      else if (text === '2') socket.send('3');
      else if (text.startsWith('40')) socket.send('420["logs:tail",{"id":"t"}]');
      else if (text.startsWith('43')) resolve('in');
      else if (text.startsWith('42')) {
        const [name, body] = JSON.parse(text.slice(2)) as [string, { lines: { message: string }[]; skipped: number }];
        if (name === 'logs:lines') for (const { message } of body.lines) onLine(message);
      }
    });
  });
}

it('a thousand viewers get every line once, one more than allowed is refused, and an ask is answered (S24)', async () => {
  world = await startWorld(
    {
      batches: { columnsOf, lineAt },
      http: { routes: [], ...{ callRoute, readQuery, canonicalPath } },
      guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'm'), isOriginAllowed: isSocketOriginAllowed },
    },
    { config: { maxSockets: SOCKETS + 1 } },
  );
  const admin = await world.connect();
  const seen = Array.from({ length: SOCKETS }, () => [] as number[]);
  let left = SOCKETS;
  let done = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const LINES = 20;
  for (let first = 0; first < SOCKETS; first += 100) {
    const some = await Promise.all(
      seen.slice(first, first + 100).map((mine) =>
        viewer((message) => {
          if (mine.push(Number(message)) !== LINES) return;
          left -= 1;
          if (left === 0) done();
        }),
      ),
    );
    expect(new Set(some)).toEqual(new Set(['in']));
  }
  expect(world.live.stats()).toMatchObject({ sockets: SOCKETS + 1, tails: SOCKETS });
  // Those who look at the same share one channel: a line is matched once, not a thousand times.
  expect(world.live.stats().channels).toBe(1);
  expect(await viewer(() => undefined)).toBe('refused');
  for (let i = 0; i < LINES; i += 5) {
    world.lines.commit(Array.from({ length: 5 }, (_, n) => ({ message: String(i + n) })));
    // In the middle of it somebody asks for something else.
    await ask(admin, 'logs:tail', { id: `own-${i}` });
    await ask(admin, 'logs:untail', { id: `own-${i}` });
  }
  await all;
  for (const mine of seen) expect(mine).toEqual(Array.from({ length: LINES }, (_, i) => i));
  expect(world.live.stats()).toMatchObject({ skipped: 0, queuedLines: 0 });
});

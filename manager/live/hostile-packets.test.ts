import { afterEach, beforeEach, expect, it } from 'vitest';
import WebSocket from 'ws';
import { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList } from '../http/host-names.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { defineRoute } from '../http/route.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import { ask, startWorld } from './testing.ts';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeEach(async () => {
  const big = { summary: 's', purpose: 'p', access: 'member' as const, live: { on: ['host' as const] } };
  world = await startWorld({
    batches: { columnsOf, lineAt },
    http: {
      routes: [defineRoute({ ...big, method: 'GET', path: '/api/v1/big', handle: () => 'x'.repeat(1_000_000) })],
      ...{ callRoute, readQuery, canonicalPath },
    },
    guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'm'), isOriginAllowed: isSocketOriginAllowed },
  });
});
afterEach(async () => {
  expect(world.faults).toEqual([]);
  await world.stop();
});

/** A signed-in client by hand. */
async function raw(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${world.port}/socket.io/?EIO=4&transport=websocket`);
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const text = String(data);
      if (text.startsWith('0')) socket.send('40{"token":"wv_admin"}');
      if (text.startsWith('40')) resolve();
    });
  });
  return socket;
}

const PACKETS: (string | Buffer)[] = [
  ...['', '4', '42', '42[', '42[]', '42{}', '42[1]', '42[null,1]', '42["subscribe"', '4999', '47', '4x', '9', '1', '6'],
  ...['42["connect"]', '42["disconnect"]', '42["error",1]', '42["newListener",1]', '42["__proto__",{}]'],
  ...['421["constructor",{}]', '421["hasOwnProperty",{}]', '420["subscribe",{"__proto__":{"uri":"/api/v1/big"}}]'],
  ...['42999999999999999999999["logs:untail",{"id":"x"}]', '42-1["logs:untail",{"id":"x"}]', '43["x"]', '431["x"]'],
  ...['451-["logs:tail",{"_placeholder":true,"num":0}]', '451000000-["x",{"_placeholder":true,"num":0}]', '45-1-["x"]'],
  ...[
    '451-["x",{"_placeholder":true,"num":99}]',
    '46',
    '40/admin,{"token":"wv_admin"}',
    '40/../,',
    '41/none,',
    '44"x"',
  ],
  ...[
    '40{"token":"wv_admin"}',
    '40',
    `40${'['.repeat(5_000)}`,
    `42["${'a'.repeat(100_000)}",{}]`,
    `42${'["x",'.repeat(2_000)}`,
  ],
  ...[Buffer.alloc(0), Buffer.from([4]), Buffer.alloc(70_000, 0xff), `42["x","${'y'.repeat(1_100_000)}"]`, '41'],
];

it('no packet, whatever is in it, harms anybody but its sender (S23)', async () => {
  const witness = await world.connect();
  for (const packet of PACKETS) {
    const sender = await raw();
    sender.send(packet);
    // Every one is followed by an honest question: it is answered, or the sender was cut.
    const over = new Promise<void>((resolve) => {
      sender.once('close', () => resolve());
      sender.on('message', (data) => String(data).startsWith('437[') && resolve());
    });
    if (packet !== '451-["logs:tail",{"_placeholder":true,"num":0}]') sender.send('427["logs:untail",{"id":"x"}]');
    else sender.close();
    await over;
    sender.terminate();
  }
  expect(await ask(witness, 'logs:untail', { id: 'x' })).toBe(null);
  expect(({} as Record<string, unknown>)['uri']).toBeUndefined();
});

it('who asks and never reads is cut before its answers fill the memory', async () => {
  const serverSide = new Promise<import('node:net').Socket>((resolve) =>
    world.server.once('upgrade', (request) => resolve(request.socket)),
  );
  const greedy = await raw();
  greedy.pause();
  const connection = await serverSide;
  const closed = new Promise((resolve) => connection.once('close', resolve));
  let done = false;
  void closed.then(() => {
    done = true;
  });
  for (let i = 0; !done && i < 5_000; i++) {
    greedy.send(`42${i}["subscribe",{"uri":"/api/v1/big"}]`);
    await new Promise((resolve) => setImmediate(resolve));
    expect(connection.writableLength).toBeLessThan(48 * 1024 * 1024);
  }
  await closed;
  greedy.terminate();
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { startEdge } from '../../test/support/edge.ts';
import { defineRoute } from './route.ts';

it('takes a peer that leaves within its body for no fault of ours', async () => {
  let answered: (status: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    answered = resolve;
  });
  const edge = await startEdge({ deps: { observe: ({ status }) => answered(status) } });
  const socket = connect(edge.port, '127.0.0.1');
  await once(socket, 'connect');
  const head = `POST /api/v1/sign-in HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\nContent-Type: application/json\r\n`;
  socket.write(`${head}Content-Length: 50\r\nExpect: 100-continue\r\n\r\n{"email":`);
  // Its "100 Continue" says that the body is awaited.
  await once(socket, 'data');
  socket.destroy();
  expect(await ended).toBe(400);
  expect(edge.faults).toEqual([]);
  await edge.stop();
});

it('takes a peer that leaves while its answer is made for no fault of ours', async () => {
  let answered: (status: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    answered = resolve;
  });
  let asked: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const slow = defineRoute({
    ...{ method: 'GET', path: '/api/v1/slow', summary: 's', purpose: 'p', access: 'open' },
    handle: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        asked();
      }),
  });
  const edge = await startEdge({ routes: [slow], deps: { observe: ({ status }) => answered(status) } });
  const socket = connect(edge.port, '127.0.0.1');
  socket.write(`GET /api/v1/slow HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\n\r\n`);
  await begun;
  socket.destroy();
  expect(await ended).toBe(408);
  expect(edge.faults).toEqual([]);
  await edge.stop();
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { startEdge } from '../../test/support/edge.ts';

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

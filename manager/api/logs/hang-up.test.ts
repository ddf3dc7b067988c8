import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { WebvirtError } from '../../../common/errors.ts';
import { startEdge } from '../../../test/support/edge.ts';
import { type LogDeps, logRoutes } from './routes.ts';

const PATHS = [
  '',
  '/count',
  '/histogram',
  '/facets?field=level',
  '/facets?field=level&field=host',
  '/export?format=csv',
];

it('asks the store to look no further once the caller has hung up', async () => {
  let asked: () => void = () => {};
  let calledOff: () => void = () => {};
  const look = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal!.addEventListener('abort', () => {
        reject(new WebvirtError('op-cancelled'));
        calledOff();
      });
      asked();
    });
  const lines = {
    newestOrdinal: () => 1,
    query: (_filter, page) => look(page.signal),
    count: (_filter, signal) => look(signal),
    histogram: (_filter, _range, signal) => look(signal),
    facets: (_filter, _field, _limit, signal) => look(signal),
    since: (_filter, _ordinal, _limit, signal) => look(signal),
  } as Partial<LogDeps['lines']> as LogDeps['lines'];
  const edge = await startEdge();
  await edge.swapRoutes(logRoutes({ lines, door: {} as LogDeps['door'], nowMs: Date.now }));
  const { Authorization } = edge.bearer('admin').headers;
  for (const path of PATHS) {
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const ended = new Promise<void>((resolve) => {
      calledOff = resolve;
    });
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(
      `GET /api/v1/logs${path} HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\nAuthorization: ${Authorization}\r\n\r\n`,
    );
    await begun;
    socket.destroy();
    await ended;
  }
  expect(edge.faults).toEqual([]);
  await edge.stop();
});

import { connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { z } from 'zod';
import { defineRoute } from '../../manager/http/route.ts';

/** How far the route `/api/v1/raw` came, and what to call when it is done. */
export const rawRoute: { writes: number; done(): void } = { writes: 0, done: () => undefined };

/** Routes of every kind, for the tests of the edge. */
export const routes = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/things/:id',
    summary: 's',
    purpose: 'p',
    access: 'open',
    params: z.object({ id: z.string().max(20) }),
    query: z.object({ limit: z.coerce.number().int().max(10).default(5) }),
    answer: z.object({ id: z.string(), limit: z.number() }),
    handle: ({ params, query }) => ({ id: params.id, limit: query.limit, passwordHash: 'secret' }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/things/special',
    summary: 's',
    purpose: 'p',
    access: 'open',
    answer: z.string(),
    handle: () => 'literal',
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/things',
    summary: 's',
    purpose: 'p',
    access: 'open',
    bodyLimitBytes: 1000,
    body: z.object({ name: z.string(), deep: z.object({ n: z.number() }).optional() }),
    answer: z.object({ name: z.string() }),
    status: 201,
    handle: ({ body }) => body,
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/broken',
    summary: 's',
    purpose: 'p',
    access: 'open',
    handle: () => {
      throw new Error('the password is hunter2');
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/raw',
    summary: 's',
    purpose: 'p',
    access: 'open',
    rawType: 'text/plain; charset=utf-8',
    async handle({ raw }) {
      const chunk = Buffer.alloc(256 * 1024, 'x');
      for (let i = 0; i < 400; i++) {
        await raw!.write(chunk);
        rawRoute.writes += 1;
      }
      rawRoute.done();
    },
  }),
];

/** Sends bytes to a port as they are and reads until the peer closes. */
export function rawTalk(
  port: number,
  text: string,
  options: { secure?: boolean; pieces?: boolean } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const target = { port, host: '127.0.0.1' };
    const socket = options.secure ? tlsConnect({ ...target, rejectUnauthorized: false }) : tcpConnect(target);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
    socket.on(options.secure ? 'secureConnect' : 'connect', () => {
      if (!options.pieces) return socket.write(text);
      const next = (i: number) => {
        if (i < text.length) socket.write(text[i]!, () => setImmediate(next, i + 1));
      };
      next(0);
    });
  });
}

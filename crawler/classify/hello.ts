import { request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';

/** The one reply of an agent that has no manager yet. Anything more or less is not an agent's. */
const helloSchema = z.strictObject({
  err: z.null(),
  data: z.strictObject({
    product: z.literal('webvirt-agent'),
    version: z.string().regex(/^[0-9A-Za-z.+-]{1,64}$/),
    id: z.string().regex(/^[0-9a-f]{32}$/),
    state: z.literal('unenrolled'),
    name: z.string().max(255),
  }),
});
const refusalSchema = z.strictObject({
  err: z.enum(['forbidden', 'not-enrolled']),
  message: z.string(),
  data: z.null(),
});

export type Hello =
  | { outcome: 'hello'; version: string; id: string; name: string }
  /** It wants a manager's certificate before it says anything, as an enrolled agent does. */
  | { outcome: 'refused' }
  | { outcome: 'foreign'; why: string };

const BODY_LIMIT_BYTES = 4_096;
const HEADER_LIMIT_BYTES = 8_192;

/** Asks `GET /hello` once on an open connection. Redirects are not followed. Never rejects. */
export function askHello(socket: TLSSocket, host: string, signal: AbortSignal): Promise<Hello> {
  return new Promise((resolve) => {
    const settle = (hello: Hello) => {
      resolve(hello);
      asked.destroy();
    };
    const asked = request({
      createConnection: () => socket,
      path: '/hello',
      headers: { host, accept: 'application/json', connection: 'close' },
      maxHeaderSize: HEADER_LIMIT_BYTES,
      signal,
    });
    asked.on('error', () =>
      settle({ outcome: 'foreign', why: signal.aborted ? 'no answer in time' : 'does not answer as an agent does' }),
    );
    asked.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
        if (body.length > BODY_LIMIT_BYTES) settle({ outcome: 'foreign', why: 'sent more than an agent does' });
      });
      response.on('error', () => settle({ outcome: 'foreign', why: 'broke off its answer' }));
      response.on('end', () => settle(readHello(response.statusCode ?? 0, body)));
    });
    asked.end();
  });
}

function readHello(status: number, body: string): Hello {
  const value = parseJson(body);
  if (status === 200) {
    const hello = helloSchema.safeParse(value);
    if (hello.success) {
      const { version, id, name } = hello.data.data;
      return { outcome: 'hello', version, id, name };
    }
  }
  if (status === 403 && refusalSchema.safeParse(value).success) return { outcome: 'refused' };
  return { outcome: 'foreign', why: `answers ${status} and not as an agent does` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

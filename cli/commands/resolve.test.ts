import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CliConfig } from '../config.ts';
import { resolveInstance } from './resolve.ts';

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000001`);
const LIST = [
  { id: A, name: 'web', hostName: 'host-1' },
  { id: B, name: 'web', hostName: 'host-2\x1b[2J' },
  { id: C, name: '1', hostName: 'host-1' },
  // Somebody names an instance after the UUID of another one.
  { id: D, name: A, hostName: 'host-2' },
];

let server: Server;
let config: CliConfig;
beforeAll(async () => {
  server = createServer((_, answer) => answer.end(JSON.stringify({ err: null, data: LIST })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  config = { url, token: 't', ca: null, agentSocket: '', color: false };
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

it('takes a UUID, in capitals too, before any name', async () => {
  expect((await resolveInstance(config, A!)).id).toBe(A);
  expect((await resolveInstance(config, B!.toUpperCase())).id).toBe(B);
});

it('takes a name that only one instance has, a number included', async () => {
  expect((await resolveInstance(config, '1')).id).toBe(C);
});

it('refuses a name of two instances and shows both UUIDs, and nothing that acts', async () => {
  const refused = await resolveInstance(config, 'web').catch((error: Error) => error as Error & { code: string });
  expect(refused).toMatchObject({ code: 'ambiguous' });
  const { message } = refused as Error;
  expect(message).toContain(A);
  expect(message).toContain(B);
  expect(message).not.toContain('\x1b');
});

it.each(['WEB', 'we', '', '--all', '2', `${A} `])('guesses nothing from "%s"', async (name) => {
  await expect(resolveInstance(config, name)).rejects.toMatchObject({ code: 'not-found' });
});

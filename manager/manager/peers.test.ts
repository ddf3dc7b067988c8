import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io as connect } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { hasRedis, REDIS_NOTE, startRedis, type TestRedis } from '../../logging/redis.testing.ts';
import { tail } from '../../test/support/live.ts';
import { managerIsReady } from '../../test/support/whole-manager.ts';
import { readManagerConfig } from '../config.ts';
import { createManager } from '../manager.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function manager(redis: TestRedis, name: string) {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-peers-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  const secret = join(dir, 'redis-password');
  writeFileSync(secret, 'only for managers\n');
  const config = readManagerConfig({
    ...{ WEBVIRT_DATA_DIR: join(dir, 'data'), WEBVIRT_PORT: '0', WEBVIRT_ADMIN_PASSWORD: 'correct horse battery' },
    ...{ WEBVIRT_REDIS_URL: redis.url, WEBVIRT_REDIS_PASSWORD_FILE: secret, WEBVIRT_REDIS_NAME: name },
  });
  const made = createManager(config, { version: '1.2.3', webFolder: null, stderr: false });
  const { url } = await made.start();
  undo.push(made.stop);
  await managerIsReady(url);
  const token = readFileSync(join(dir, 'data', 'local', 'admin.token'), 'utf8').trim();
  return {
    url,
    token,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ready: async () => (await (await fetch(`${url}/readyz`)).json()).data as { managers?: number },
  };
}

describe.skipIf(!hasRedis)(`two whole managers, ${REDIS_NOTE}`, () => {
  it('a line posted to one is seen by a viewer of the other, and is stored where it came in', async () => {
    const redis = await startRedis(['--requirepass', 'only for managers']);
    undo.push(redis.stop);
    const [a, b] = [await manager(redis, 'a'), await manager(redis, 'b')];
    while ((await b.ready()).managers !== 2 || (await a.ready()).managers !== 2)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const socket = connect(b.url, { transports: ['websocket'], forceNew: true, auth: { token: b.token } });
    undo.push(() => socket.disconnect());
    const seen = tail(socket, { q: 'fromOutside' });
    await seen.started;
    const posted = await fetch(`${a.url}/api/v1/logs`, {
      method: 'POST',
      headers: a.headers,
      body: JSON.stringify([{ level: 'warn', message: 'fromOutside: hello' }]),
    });
    expect(posted.status).toBeLessThan(300);
    const [line] = await seen.until((lines) => lines.length === 1);
    expect(line).toMatchObject({ level: 'warn', message: 'fromOutside: hello' });
    const stored = async ({ url, headers }: typeof a) =>
      ((await (await fetch(`${url}/api/v1/logs?q=fromOutside`, { headers })).json()) as { data: { lines: unknown[] } })
        .data;
    expect((await stored(a)).lines).toEqual([line]);
    expect((await stored(b)).lines).toEqual([]);
    const metrics = await (await fetch(`${b.url}/metrics`, { headers: b.headers })).text();
    expect(metrics).toMatch(/^webvirt_bus\{part="peers"\} 1$/m);
    expect(metrics).toMatch(/^webvirt_bus\{part="receivedLines"\} [1-9]/m);
  });

  it('a manager whose Redis is not there works as if it were alone', async () => {
    const { url, ready } = await manager({ url: 'redis://127.0.0.1:1' } as TestRedis, 'alone');
    expect(await ready()).toEqual({ status: 'ok', managers: 1 });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

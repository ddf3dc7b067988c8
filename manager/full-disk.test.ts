import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../common/pure/config/check.ts';
import { mountSmallDisk } from '../test/support/small-disk.ts';
import { managerIsReady } from '../test/support/whole-manager.ts';
import { managerConfigSchema } from './config.ts';
import { createManager, type Manager } from './manager.ts';

const PASSWORD = 'correct horse battery';
const folder = mkdtempSync(join(tmpdir(), 'webvirt-full-start-'));
const dataDir = join(folder, 'data');
mkdirSync(dataDir);
const disk = mountSmallDisk(dataDir, 64);
const started: Manager[] = [];
afterEach(async () => {
  disk?.free();
  for (const manager of started.splice(0)) await manager.stop();
});
afterAll(() => {
  disk?.unmount();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<{ url: string; call: (path: string, body?: unknown) => Promise<Response> }> {
  const raw = { dataDir, port: 0, adminPassword: PASSWORD, logLevel: 'warn', lines: { retry: '200ms' } };
  const made = createManager(checkConfig(managerConfigSchema, raw, { file: 'test' }), {
    ...{ version: '1.2.3', webFolder: null, stderr: false },
  });
  started.push(made);
  const { url } = await made.start();
  const token = readFileSync(join(dataDir, 'local', 'admin.token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return {
    url,
    call: (path, body) =>
      fetch(url + path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }),
  };
}
const signIn = (url: string, password: string) =>
  fetch(`${url}/api/v1/sign-in`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'admin@localhost', password }),
  });
async function messages(call: (path: string) => Promise<Response>, q: string): Promise<string[]> {
  const { data, err } = (await (await call(`/api/v1/logs?q=${encodeURIComponent(q)}`)).json()) as {
    data: { lines: { message: string }[] } | null;
    err: string | null;
  };
  return data === null ? [String(err)] : data.lines.map(({ message }) => message).sort();
}
/** Lines that nothing can make small. */
const many = () => Array.from({ length: 200 }, () => ({ message: `filling ${Math.random()} `.repeat(400) }));

describe.skipIf(disk === null)('a manager that is started on a disk without one free byte (L6)', () => {
  it('starts, says so, shows what is there, holds senders back, and goes on by itself once there is room', async () => {
    const first = await start();
    await managerIsReady(first.url);
    expect((await first.call('/api/v1/logs', [{ message: 'before' }])).status).toBeLessThan(300);
    expect(statSync(join(dataDir, 'reserve')).size).toBe(8 * 1024 ** 2);
    await started.splice(0)[0]!.stop();
    disk?.fill();

    const { url, call } = await start();
    expect((await signIn(url, PASSWORD)).status).toBe(200);
    await managerIsReady(url);
    expect(await messages(call, 'before')).toEqual(['before']);
    // As long as there is room in what was kept, lines are taken; then they are refused, and none is lost of those that were.
    let taken = 0;
    let refused: Response | null = null;
    while (refused === null) {
      const answer = await call('/api/v1/logs', many());
      if (answer.status < 300) taken += 200;
      else refused = answer;
    }
    expect([refused.status, ((await refused.json()) as { err: string }).err]).toEqual([503, 'store-unavailable']);
    // After a write that failed the file is opened anew; whoever reads meanwhile is told to try again.
    await expect.poll(() => messages(call, 'before'), { timeout: 15_000, interval: 50 }).toEqual(['before']);
    expect((await signIn(url, PASSWORD)).status).toBe(200);

    disk?.free();
    await expect
      .poll(async () => (await call('/api/v1/logs', [{ message: 'after' }])).status, { timeout: 15_000, interval: 100 })
      .toBeLessThan(300);
    expect(await messages(call, 'after')).toContain('after');
    // Every line that was taken is there.
    const { data } = (await (await call('/api/v1/logs/count?q=filling')).json()) as { data: { count: number } };
    expect(data.count).toBe(taken);
    // What it has to say is stored then.
    await expect.poll(() => messages(call, '"the disk is full"'), { timeout: 15_000 }).toHaveLength(1);
  });

  it('refuses with what, why and what to try where nothing was kept, and starts once there is room', async () => {
    await start();
    await started.splice(0)[0]!.stop();
    rmSync(join(dataDir, 'reserve'));
    disk?.fill();
    await expect(start()).rejects.toThrow(/^disk full: no space is left for .*WEBVIRT_DATA_DIR.*Make room there/);
    disk?.free();
    const { url, call } = await start();
    await managerIsReady(url);
    expect(await messages(call, 'before')).toEqual(['before']);
  });
});

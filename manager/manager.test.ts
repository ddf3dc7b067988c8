import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../common/pure/config/check.ts';
import { managerConfigSchema } from './config.ts';
import { createManager, type Manager } from './manager.ts';

const PASSWORD = 'correct horse battery';
let folder: string;
let started: Manager[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-manager-'));
  started = [];
});
afterEach(async () => {
  for (const manager of started) await manager.stop();
  rmSync(folder, { recursive: true, force: true });
});

function manager(changes: object = {}): Manager {
  const raw = { dataDir: join(folder, 'data'), port: 0, adminPassword: PASSWORD, logLevel: 'error', ...changes };
  const config = checkConfig(managerConfigSchema, raw, { file: 'test' });
  const made = createManager(config, { version: '1.2.3', webFolder: null, stderr: false });
  started.push(made);
  return made;
}

async function signIn(url: string, password: string) {
  const answer = await fetch(`${url}/api/v1/sign-in`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'admin@localhost', password }),
  });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  return { status: answer.status, cookie };
}

describe('the manager', () => {
  it('comes up whole, and again on its own data', async () => {
    const first = manager({ adminPassword: null });
    const { url, firstPassword } = await first.start();
    expect(firstPassword).toMatch(/^\w{20}$/);
    for (const path of ['/healthz', '/readyz']) {
      expect(await (await fetch(url + path)).json()).toEqual({ err: null, data: { status: 'ok' } });
    }
    const { cookie } = await signIn(url, firstPassword!);
    const get = (path: string) => fetch(url + path, { headers: { Cookie: cookie } });
    expect(await (await get('/api/v1/me')).json()).toMatchObject({
      data: { email: 'admin@localhost', version: '1.2.3' },
    });
    const metrics = await (await get('/metrics')).text();
    expect(metrics).toMatch(/^webvirt_http_requests_total\{route="\/readyz",method="GET",status="200"\} 1$/m);
    expect(metrics).toMatch(/^webvirt_lines \d+$/m);
    await first.stop();
    const again = await manager({ adminPassword: null }).start();
    expect(again.firstPassword).toBeNull();
    const still = await fetch(`${again.url}/api/v1/me`, { headers: { Cookie: cookie } });
    expect(still.status).toBe(200);
  });

  it('takes its data directory for itself alone', async () => {
    await manager().start();
    await expect(manager().start()).rejects.toThrow(
      `the data directory ${join(folder, 'data')} is in use by another manager (process ${process.pid})`,
    );
    // The one that was refused broke nothing: after the first has stopped there is place again.
    await started[0]!.stop();
    await manager().start();
  });

  it('says what keeps it from starting, in one line, and lets everything go', async () => {
    const { url } = await manager().start();
    const port = Number(new URL(url).port);
    const other = manager({ dataDir: join(folder, 'other'), port });
    await expect(other.start()).rejects.toThrow(`port: ${port} on 127.0.0.1 is in use already`);
    await manager({ dataDir: join(folder, 'other') }).start();
    writeFileSync(join(folder, 'file'), '');
    await expect(manager({ dataDir: join(folder, 'file', 'data') }).start()).rejects.toThrow(
      /^dataDir: .* is not a folder/,
    );
    await expect(manager({ dataDir: join(folder, 'new'), listen: '192.0.2.1' }).start()).rejects.toThrow(/^listen: /);
    await expect(manager({ dataDir: join(folder, 'new'), adminPassword: 'short' }).start()).rejects.toThrow(
      /^adminPassword: /,
    );
  });

  it('shows its console while the store of lines cannot be opened, and says so', async () => {
    const data = join(folder, 'data');
    await manager().start();
    await started[0]!.stop();
    writeFileSync(join(data, 'lines.duckdb'), 'not a database at all, but long enough to be looked at');
    const { url } = await manager().start();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ err: 'not-ready', message: expect.stringContaining('lines: ') });
    expect((await signIn(url, PASSWORD)).status).toBe(200);
  });
});

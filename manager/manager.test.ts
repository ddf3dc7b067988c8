import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io as connect } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../common/pure/config/check.ts';
import { managerIsReady } from '../test/support/whole-manager.ts';
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
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ err: null, data: { status: 'ok' } });
    expect(await managerIsReady(url)).toEqual({ err: null, data: { status: 'ok' } });
    const { cookie } = await signIn(url, firstPassword!);
    const read = (path: string) => fetch(url + path, { headers: { Cookie: cookie } });
    expect(await (await read('/api/v1/me')).json()).toMatchObject({
      data: { email: 'admin@localhost', version: '1.2.3' },
    });
    const metrics = await (await read('/metrics')).text();
    expect(metrics).toMatch(/^webvirt_http_requests_total\{route="\/readyz",method="GET",status="200"\} 1$/m);
    expect(metrics).toMatch(/^webvirt_lines \d+$/m);
    await first.stop();
    const again = await manager({ adminPassword: null }).start();
    expect(again.firstPassword).toBeNull();
    const still = await fetch(`${again.url}/api/v1/me`, { headers: { Cookie: cookie } });
    expect(still.status).toBe(200);
  });

  it('tells the first password again when the start that made it failed', async () => {
    const other = manager({ dataDir: join(folder, 'other') });
    await other.start();
    const taken = { adminPassword: null, port: other.address().port };
    await expect(manager(taken).start()).rejects.toThrow('in use');
    const { url, firstPassword } = await manager({ adminPassword: null }).start();
    expect((await signIn(url, firstPassword ?? '')).status).toBe(200);
  });

  it('stores lines from outside, answers them, pushes to sockets, and describes itself', async () => {
    const { url } = await manager().start();
    await managerIsReady(url);
    const token = readFileSync(join(folder, 'data', 'local', 'admin.token'), 'utf8').trim();
    const auth = { Authorization: `Bearer ${token}` };
    const post = (type: string, body: string) =>
      fetch(`${url}/api/v1/logs`, { method: 'POST', headers: { ...auth, 'Content-Type': type }, body });
    const array = await post('application/json', JSON.stringify([{ message: 'from an array' }]));
    expect(await array.json()).toEqual({ err: null, data: { accepted: 1, refusedCount: 0, refused: [] } });
    const rows = await post('application/x-ndjson', '{"message":"row one"}\nnot json\n{"message":"row two"}\n');
    expect(await rows.json()).toMatchObject({ data: { accepted: 2, refusedCount: 1 } });
    const found = await (await fetch(`${url}/api/v1/logs?source=external`, { headers: auth })).json();
    expect(
      (found as { data: { lines: { id: string; message: string }[] } }).data.lines.map(({ id, message }) => [
        id.split('.')[2],
        message,
      ]),
    ).toEqual([
      ['2', 'row two'],
      ['1', 'row one'],
      ['0', 'from an array'],
    ]);
    const socket = connect(url, { transports: ['websocket'], auth: { token } });
    const tail = new Promise<string[]>((resolve) => {
      socket.on('logs:lines', (batch: { lines: { message: string }[]; backlog?: boolean }) => {
        const messages = batch.lines.map(({ message }) => message);
        if (messages.includes('live')) resolve(messages);
      });
    });
    const subscribed = await socket.emitWithAck('subscribe', { uri: '/api/v1/hosts' });
    expect(subscribed).toMatchObject({ err: null, data: { body: [] } });
    expect(await socket.emitWithAck('logs:tail', { id: 'a', source: 'external' })).toMatchObject({ err: null });
    await post('application/json', JSON.stringify([{ message: 'live' }]));
    expect(await tail).toContain('live');
    socket.close();
    const openapi = await (await fetch(`${url}/api/v1/openapi.json`, { headers: auth })).json();
    expect(Object.keys((openapi as { paths: object }).paths)).toContain('/api/v1/instances/{id}/actions');
  });

  it('speaks TLS on the same port, with a certificate of its own authority', async () => {
    const { url } = await manager().start();
    const ca = readFileSync(join(folder, 'data', 'ca', 'ca.pem'));
    for (const host of ['127.0.0.1', 'localhost']) {
      const status = await new Promise((resolve, reject) => {
        const call = get(`https://${host}:${new URL(url).port}/healthz`, { ca, agent: false }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        call.on('error', reject);
      });
      expect(status).toBe(200);
    }
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
    rmSync(join(data, 'lines.duckdb'));
    mkdirSync(join(data, 'lines.duckdb', 'in-the-way'), { recursive: true });
    const { url } = await manager().start();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ err: 'not-ready', message: expect.stringContaining('lines: ') });
    expect((await signIn(url, PASSWORD)).status).toBe(200);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'webvirt-agent-main-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const dataDir = join(folder, 'agent');

/** The program itself, from its sources. `onReady` decides how it ends; without it, it must end by itself. */
async function run(env: Record<string, string>, onReady?: (child: ReturnType<typeof spawn>) => unknown) {
  const defaults = {
    WEBVIRT_AGENT_DATA_DIR: dataDir,
    WEBVIRT_AGENT_PORT: '0',
    WEBVIRT_AGENT_LIBVIRT_URI: 'test:///default',
  };
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env['PATH'], ...defaults, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (out.endsWith('\n')) onReady?.(child);
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

function local(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asked = request({ socketPath: join(dataDir, 'agent.sock'), method, path, headers }, async (answer) => {
      let text = '';
      for await (const part of answer) text += part;
      resolve({ status: answer.statusCode ?? 0, json: JSON.parse(text) });
    });
    asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

it('prints one line of JSON when it is up, answers on its local socket, and ends with 0 when it is asked to', async () => {
  const said: unknown[] = [];
  const { code, out } = await run({}, async (child) => {
    said.push(await local('GET', '/status'), await local('POST', '/enrol', { url: 'https://127.0.0.1:1', token: 'x' }));
    said.push(statSync(join(dataDir, 'agent.sock')).mode & 0o777, await run({}));
    child.kill('SIGTERM');
  });
  expect(code).toBe(0);
  const ready = JSON.parse(out) as { id: string; port: number };
  expect(ready).toEqual({
    ready: true,
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    port: expect.any(Number),
    state: 'unenrolled',
  });
  expect(said).toMatchObject([
    { status: 200, json: { err: null, data: { id: ready.id, port: ready.port, state: 'unenrolled' } } },
    { status: 401, json: { err: 'bad-token', data: null } },
    0o600,
    // A second agent on the same directory.
    {
      code: 1,
      out: '',
      err: expect.stringMatching(/^agent: another agent uses the data directory .*WEBVIRT_AGENT_DATA_DIR/),
    },
  ]);
});

it('ends with the one who started it', async () => {
  const { code } = await run({ WEBVIRT_STOP_WITH_STDIN: '1' }, (child) => child.stdin!.end());
  expect(code).toBe(0);
});

it('ends with 2 and names the key of a bad configuration', async () => {
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'spol: {cap: 1MiB}\n');
  const { code, out, err } = await run({ WEBVIRT_AGENT_CONFIG: file });
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe(`agent: ${file}: spol: there is no such key; did you mean spool?\n`);
});

it('ends with 1 and one clear line when the port is in use or the data directory cannot be written', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const taken = await run({ WEBVIRT_AGENT_PORT: String(port) });
  other.close();
  expect([taken.code, taken.out]).toEqual([1, '']);
  expect(taken.err).toMatch(new RegExp(`agent: 127.0.0.1 port ${port} is in use .*WEBVIRT_AGENT_PORT`));

  writeFileSync(join(folder, 'file'), '');
  const blocked = await run({ WEBVIRT_AGENT_DATA_DIR: join(folder, 'file', 'agent') });
  expect([blocked.code, blocked.out]).toEqual([1, '']);
  expect(blocked.err).toMatch(/^agent: .*WEBVIRT_AGENT_DATA_DIR.*\n$/);

  mkdirSync(join(folder, 'closed'));
  chmodSync(join(folder, 'closed'), 0o500);
  // root may write anywhere; everybody else is told.
  if (process.getuid?.() !== 0) {
    const closed = await run({ WEBVIRT_AGENT_DATA_DIR: join(folder, 'closed', 'agent') });
    expect(closed.err).toMatch(/^agent: .* cannot be written by this user\n$/);
  }
});

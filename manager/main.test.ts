import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'webvirt-main-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program itself, from its sources. `onReady` decides how it ends; without it, it must end by itself. */
async function run(env: Record<string, string>, onReady?: (child: ReturnType<typeof spawn>) => void) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env['PATH'], WEBVIRT_DATA_DIR: join(folder, 'data'), WEBVIRT_PORT: '0', ...env },
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

it('prints one line of JSON when it is up, and ends with 0 when it is asked to', async () => {
  const { code, out } = await run({}, (child) => child.kill('SIGTERM'));
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    ready: true,
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    firstPassword: expect.stringMatching(/^\w{20}$/),
  });
});

it('keeps its databases to itself, also in a folder that others may read', async () => {
  const data = join(folder, 'open');
  mkdirSync(data, { mode: 0o755 });
  await run({ WEBVIRT_DATA_DIR: data }, (child) => child.kill('SIGTERM'));
  const files = readdirSync(data).filter((name) => statSync(join(data, name)).isFile());
  expect(files).toContain('lines.duckdb');
  expect(files.filter((name) => (statSync(join(data, name)).mode & 0o077) !== 0)).toEqual([]);
});

it('ends with the one who started it', async () => {
  const { code } = await run({ WEBVIRT_STOP_WITH_STDIN: '1' }, (child) => child.stdin!.end());
  expect(code).toBe(0);
});

it('ends with 2 and names the key of a bad configuration', async () => {
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'http: {allowedHost: [a.example]}\n');
  const { code, out, err } = await run({ WEBVIRT_CONFIG: file });
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe(`webvirt manager: ${file}: http.allowedHost: there is no such key; did you mean allowedHosts?\n`);
});

it('ends with 1 and names the port that is in use', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { code, err } = await run({ WEBVIRT_PORT: String(port) });
  expect(code).toBe(1);
  expect(err.split('\n').filter((line) => line.startsWith('webvirt manager: '))).toEqual([
    `webvirt manager: port: ${port} on 127.0.0.1 is in use already; stop the other program or set another port (WEBVIRT_PORT)`,
  ]);
  other.close();
});

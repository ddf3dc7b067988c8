import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { io } from 'socket.io-client';
import { afterEach, describe, expect, test } from 'vitest';
import type { OutputEvent } from '../../common/model/compute.ts';
import { computeAbsent } from '../support/compute-server.ts';
import { untilBody } from '../support/live.ts';
import { ROOT } from '../support/program.ts';

// `npm start` as a newcomer runs it: one command, one address, one password, a clean end.

const dirs: string[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  }
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function newPlace() {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-start-'));
  dirs.push(dir);
  const [port, agentPort] = [await freePort(), await freePort()];
  const computeConfig = join(dir, 'compute.json');
  // Python alone is loaded in a moment.
  writeFileSync(computeConfig, JSON.stringify({ kernels: ['python'], cgroupName: `webvirt-start-${process.pid}` }));
  return {
    dir,
    port,
    env: {
      WEBVIRT_DATA_DIR: join(dir, 'data'),
      WEBVIRT_PORT: String(port),
      WEBVIRT_AGENT_PORT: String(agentPort),
      WEBVIRT_CRAWLER_AGENT_PORT: String(agentPort),
      WEBVIRT_COMPUTE_CONFIG: computeConfig,
      WEBVIRT_SAGE: 'no',
    },
  };
}

function start(
  env: Record<string, string>,
  [program, ...args] = [process.execPath, join(ROOT, 'scripts', 'start.mjs')],
) {
  const child = spawn(program!, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said: string[] = [];
  // All that it and its parts have said is read by then, which may be after it has ended.
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      if (/is ready: /.test(line)) resolve(line);
    });
    createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  });
  return {
    child,
    said,
    ended,
    ready: Promise.race([ready, ended.then((code) => `ended with ${code}: ${said.join('\n')}`)]),
  };
}

describe('npm start', () => {
  test('prints one address and one password, ends with 0, and finds its data again', async () => {
    const place = await newPlace();
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const first = start(place.env);
    expect(await first.ready).toBe(`WebVirt ${version} is ready: http://127.0.0.1:${place.port}`);
    const password = first.said.map((line) => /^First sign-in: admin@localhost \/ (.+)$/.exec(line)?.[1]).find(Boolean);
    expect(password).toBeTruthy();
    const signIn = () =>
      fetch(`http://127.0.0.1:${place.port}/api/v1/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: `http://127.0.0.1:${place.port}` },
        body: JSON.stringify({ email: 'admin@localhost', password }),
      });
    expect((await signIn()).status).toBe(200);
    const page = await fetch(`http://127.0.0.1:${place.port}/`);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'self'/);
    expect(await page.text()).toMatch(/<title>WebVirt/);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);

    const second = start(place.env);
    expect(await second.ready).toMatch(/is ready/);
    expect(second.said.join('\n')).not.toMatch(/First sign-in/);
    expect((await signIn()).status).toBe(200);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  test.skipIf(computeAbsent() !== null)(
    'computes: the agent reaches the compute server that is started beside it',
    async () => {
      const place = await newPlace();
      const run = start(place.env);
      const url = /http:\S+/.exec(await run.ready)![0];
      const token = readFileSync(join(place.dir, 'data', 'local', 'admin.token'), 'utf8').trim();
      const socket = io(url, { transports: ['websocket'], auth: { token }, forceNew: true });
      type Server = { state: string; kernels: { name: string }[] };
      const [server] = await untilBody<Server[]>(socket, '/api/v1/compute/servers', ([one]) => one?.state === 'ready');
      expect(server!.kernels.map(({ name }) => name)).toEqual(['python']);
      const answer = await fetch(`${url}/api/v1/compute/run`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ code: '2 + 3', kernel: 'python' }),
      });
      const { data } = await answer.json();
      expect([
        data.status,
        data.events.find((one: { event: OutputEvent }) => one.event.type === 'result').event.data,
      ]).toEqual(['ok', { 'text/plain': '5' }]);
      socket.close();
      run.child.kill('SIGTERM');
      expect(await run.ended).toBe(0);
      expect(existsSync(join(place.dir, 'data', 'agent', 'compute.sock'))).toBe(false);
    },
  );

  test('the shipped configuration of the compute server holds its defaults', () => {
    const script = `
import dataclasses, json, sys
sys.path.insert(0, sys.argv[1])
from wvcompute.config import Config
print(json.dumps(dataclasses.asdict(Config())))`;
    const folder = join(ROOT, 'node-agent', 'compute', 'server');
    const { stdout } = spawnSync('/usr/bin/python3', ['-I', '-B', '-c', script, folder], { encoding: 'utf8' });
    expect(JSON.parse(readFileSync(join(ROOT, 'conf', 'compute.json'), 'utf8'))).toEqual(JSON.parse(stdout));
  });

  test('a signal to npm itself ends all parts, and npm with 0', async () => {
    const place = await newPlace();
    const run = start(place.env, ['npm', 'start']);
    expect(await run.ready).toMatch(/is ready/);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    await expect(fetch(`http://127.0.0.1:${place.port}/healthz`)).rejects.toThrow();
  });

  test('a killed start leaves no part behind', async () => {
    const place = await newPlace();
    const run = start(place.env);
    expect(await run.ready).toMatch(/is ready/);
    run.child.kill('SIGKILL');
    await run.ended;
    // The parts notice that their parent is gone and free the port: a new start succeeds once they have.
    const again = await untilReady(() => start(place.env));
    expect(again).toMatch(/is ready/);
  });

  test('a port in use, a bad key and a bad range are said in one clear line', async () => {
    const place = await newPlace();
    const holder = createServer().listen(place.port, '127.0.0.1');
    await once(holder, 'listening');
    const blocked = start(place.env);
    expect(await blocked.ended).toBe(1);
    expect(blocked.said.join('\n')).toMatch(new RegExp(`manager: .*${place.port}.*(in use|taken)`, 'i'));
    await new Promise((resolve) => holder.close(resolve));

    const badRange = start({ ...place.env, WEBVIRT_CRAWLER_RANGES: '10.0.0.0/8' });
    expect(await badRange.ended).toBe(2);
    expect(badRange.said.join('\n')).toMatch(/ranges.*10\.0\.0\.0\/8/i);

    const badKey = start({ ...place.env, WEBVIRT_PORT: 'many' });
    expect(await badKey.ended).toBe(2);
    expect(badKey.said.join('\n')).toMatch(/WEBVIRT_PORT/);
  });
});

/** Starts until it comes up: the parts of the killed one need a moment to let go of the data directory. */
async function untilReady(begin: () => ReturnType<typeof start>): Promise<string> {
  for (let left = 20; ; left -= 1) {
    const line = await begin().ready;
    if (/is ready/.test(line) || left === 0) return line;
  }
}

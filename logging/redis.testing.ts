import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export const hasRedis = (() => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
/** What a group of tests says of itself where it cannot run. */
export const REDIS_NOTE = hasRedis ? 'on a real Redis' : 'skipped: no Redis';

/** A real Redis of the test's own, on loopback, that keeps nothing on disk. */
export interface TestRedis {
  url: string;
  port: number;
  /** For looking at what is in it. */
  client(): Redis;
  /** As `kill -9`; what it held is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** It hangs, with its connections open. */
  stall(): void;
  goOn(): void;
  stop(): Promise<void>;
}

export async function startRedis(args: string[] = []): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-redis-'));
  const port = await freePort();
  const clients: Redis[] = [];
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'];
    const started = spawn('redis-server', [...own, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      started.stdout.on('data', (chunk) => {
        said += chunk;
        if (said.includes('Ready to accept connections')) resolve();
      });
      started.once('exit', () => reject(new Error(said)));
    });
  }
  async function kill(): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    client() {
      const client = new Redis(port, '127.0.0.1', { protocol: 2 });
      client.on('error', () => {});
      clients.push(client);
      return client;
    },
    kill,
    start,
    stall: () => void child?.kill('SIGSTOP'),
    goOn: () => void child?.kill('SIGCONT'),
    async stop() {
      for (const client of clients) client.disconnect();
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

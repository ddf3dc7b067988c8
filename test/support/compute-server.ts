import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ComputeServer, Death, OutputEvent } from '../../common/model/compute.ts';
import { programOf, ROOT } from './program.ts';

// The real compute server in a process of its own, and a client that speaks its socket's frames.

const PYTHON = '/usr/bin/python3';
const MAIN = join(ROOT, 'node-agent', 'compute', 'server', 'main.py');

/** Why the compute server cannot run here; null where it can. */
export function computeAbsent(kernel = 'python'): string | null {
  if (process.getuid?.() !== 0) return 'the compute server needs root';
  const needed = [PYTHON, '/usr/share/doc/python3-seccomp', '/usr/lib/python3/dist-packages/IPython'];
  if (kernel === 'sage') needed.push('/usr/lib/python3/dist-packages/sage/all.py');
  const missing = needed.find((path) => !existsSync(path));
  return missing === undefined ? null : `not installed: ${missing}`;
}

export interface RunningComputeServer {
  readonly socketPath: string;
  readonly child: ChildProcess;
  /** Its log so far: one JSON object a line. */
  said(): string;
  /** SIGTERM; resolves with the exit code when it has ended. */
  stop(): Promise<number | string>;
  /** SIGKILL. */
  kill(): Promise<number | string>;
}

/** Starts the server with this configuration and waits until it listens (its kernels may still be loading). */
export async function startComputeServer({
  config = {},
  command = [],
}: {
  config?: Record<string, unknown>;
  /** Put before the program, such as `['ip', 'netns', 'exec', 'x']`. */
  command?: string[];
} = {}): Promise<RunningComputeServer> {
  const folder = mkdtempSync(join(tmpdir(), 'wv-compute-'));
  const socketPath = join(folder, 'compute.sock');
  const configPath = join(folder, 'compute.json');
  // A group of its own: servers of tests that run beside each other share the machine's control groups.
  writeFileSync(configPath, JSON.stringify({ cgroupName: `webvirt-test-${process.pid}`, ...config }));
  const argv = [...command, PYTHON, '-I', MAIN, '--socket', socketPath, '--config', configPath];
  const child = spawn(argv[0]!, argv.slice(1), {
    // It ends with its stdin: a test that is killed leaves no server behind.
    env: { PATH: process.env['PATH'], WEBVIRT_STOP_WITH_STDIN: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const program = await programOf('compute server', child);
  const end = async (signal: NodeJS.Signals) => {
    const code = await program.end(signal);
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  return { socketPath, child, said: program.said, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

/** What the server sends, one shape for all `t`: only the fields of that `t` are there. */
export interface ComputeMessage {
  t: string;
  session?: string;
  event?: OutputEvent;
  server?: ComputeServer;
  code?: string;
  message?: string;
  ask?: string | number;
  matches?: string[];
  start?: number;
  end?: number;
  id?: string | number;
  tsMs?: number;
  list?: { session: string; memoryBytes: number; cpuMs: number }[];
}

export interface ComputeClient {
  readonly socket: Socket;
  /** Every message so far. */
  readonly events: ComputeMessage[];
  send(message: Record<string, unknown>): void;
  /** The first message, past or to come, that fits. Rejects when the connection closes before. */
  next(fits: (message: ComputeMessage) => boolean): Promise<ComputeMessage>;
  /** `hello`, then the first state of the server that is not `starting`. */
  ready(): Promise<ComputeServer>;
  /** Opens a session and resolves when it is open; rejects with the refusal. */
  open(session: string, kernel?: string): Promise<void>;
  /** Runs one cell and resolves with its events, the last of which is `ended`. */
  run(session: string, cell: number, code: string): Promise<OutputEvent[]>;
  /** How the session died, once it has. */
  death(session: string): Promise<Death>;
  close(): Promise<void>;
}

/** One frame: 4 bytes of length, big-endian, then JSON. */
export function frame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** Connects to a compute server's socket. */
export async function connectCompute(socketPath: string): Promise<ComputeClient> {
  const socket = createConnection(socketPath);
  await once(socket, 'connect');
  const events: ComputeMessage[] = [];
  const waiting = new Set<{ look(): void; fail(): void }>();
  let received: Buffer = Buffer.alloc(0);
  let closed = false;
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= 4 && received.length >= 4 + received.readUInt32BE()) {
      const end = 4 + received.readUInt32BE();
      events.push(JSON.parse(received.toString('utf8', 4, end)) as ComputeMessage);
      received = received.subarray(end);
    }
    for (const one of [...waiting]) one.look();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
    for (const one of [...waiting]) one.fail();
  });

  const client: ComputeClient = {
    socket,
    events,
    send: (message) => void socket.write(frame(message)),
    next: (fits) =>
      new Promise((resolve, reject) => {
        let from = 0;
        const one = {
          look() {
            for (; from < events.length; from += 1) {
              try {
                if (!fits(events[from]!)) continue;
                resolve(events[from]!);
              } catch (error) {
                reject(error);
              }
              waiting.delete(one);
              return;
            }
            if (closed) one.fail();
          },
          fail() {
            waiting.delete(one);
            reject(new Error('the compute server closed the connection'));
          },
        };
        waiting.add(one);
        one.look();
      }),
    async ready() {
      client.send({ op: 'hello', v: 1 });
      return (await client.next((m) => m.t === 'server' && m.server!.state !== 'starting')).server!;
    },
    async open(session, kernel = 'python') {
      client.send({ op: 'open', session, kernel });
      const answer = await client.next((m) => m.session === session && (m.t === 'opened' || m.t === 'refused'));
      if (answer.t === 'refused') throw new Error(`${answer.code}: ${answer.message}`);
    },
    async run(session, cell, code) {
      client.send({ op: 'execute', session, cell, code });
      const mine = (m: ComputeMessage) =>
        m.t === 'event' &&
        m.session === session &&
        m.event!.type !== 'died' &&
        'cell' in m.event! &&
        m.event.cell === cell;
      await client.next((m) => mine(m) && m.event!.type === 'ended');
      return events.filter(mine).map((m) => m.event!);
    },
    async death(session) {
      const last = await client.next((m) => m.t === 'event' && m.session === session && m.event!.type === 'died');
      return last.event!.type === 'died' ? last.event!.death : { cause: 'crash', text: 'not reached' };
    },
    async close() {
      if (closed) return;
      const gone = once(socket, 'close');
      socket.destroy();
      await gone;
    },
  };
  return client;
}

/** The text a cell wrote to one of its streams. */
export const textOf = (events: OutputEvent[], type: 'stdout' | 'stderr' = 'stdout') =>
  events.map((event) => (event.type === type ? event.text : '')).join('');

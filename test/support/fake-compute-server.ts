import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { ComputeLimits, ComputeServer, DEATH_CAUSES, OutputEvent } from '../../common/model/compute.ts';
import { createFrameReader, frameOf } from '../../node-agent/compute/frames.ts';

/** What the agent sends it. */
export interface Asked {
  op: string;
  session?: string;
  kernel?: string;
  cell?: number;
  code?: string;
  reason?: string;
  ask?: number;
  id?: number;
  cursor?: number;
}

/**
 * A compute server that runs nothing: it speaks the socket's wire. A cell is a script of one word a line:
 * `say TEXT`, `flood COUNT BYTES`, `value TEXT`, `image BYTES`, `die CAUSE`, and `wait` until it is interrupted or
 * released. It keeps sessions as the real one does: until its client goes.
 */
export interface FakeComputeServer {
  /** Messages of the agent so far, over all connections. */
  readonly asked: Asked[];
  /** Runs of code: one for each `execute` that came. */
  readonly runs: { session: string; cell: number; code: string }[];
  state(part: Partial<ComputeServer>): void;
  /** From now on every `open` is refused; with an empty code none is. */
  refuse(code: string, message: string): void;
  /** Lets a waiting cell go on. */
  release(session: string): void;
  use(session: string, memoryBytes: number, cpuMs: number): void;
  until(fits: (asked: Asked) => boolean): Promise<Asked>;
  /** Takes everything and answers nothing any more, until it is started anew. */
  hang(): void;
  /** As a crash: the connection ends; it listens again after `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export const LIMITS: ComputeLimits = {
  ...{ memoryBytes: 2 ** 29, processes: 64, cpus: 1, diskBytes: 2 ** 26, outputBytes: 2 ** 23 },
  ...{ cellMs: 600_000, idleMs: 1_800_000, lifeMs: 86_400_000, sessions: 4 },
};

const READY: ComputeServer = {
  state: 'ready',
  reason: null,
  kernels: [{ name: 'python', title: 'Python', pooled: 1 }],
  checks: [{ name: 'uid', holds: true, text: 'tried' }],
  limits: LIMITS,
  sessions: 0,
};

interface Kernel {
  queue: { cell: number; code: string }[];
  running: { cell: number; rest: string[] } | null;
}

export async function startFakeComputeServer(path: string): Promise<FakeComputeServer> {
  const asked: Asked[] = [];
  const runs: FakeComputeServer['runs'] = [];
  const waiting = new Set<() => void>();
  const kernels = new Map<string, Kernel>();
  let server: ComputeServer = READY;
  let refusal: { code: string; message: string } | null = null;
  let client: Socket | null = null;
  let hung = false;
  let listener = createServer();

  const say = (message: unknown) => hung || client?.write(frameOf(message));
  const event = (session: string, one: OutputEvent) => void say({ t: 'event', session, tsMs: Date.now(), event: one });

  function ended(session: string, cell: number, status: 'ok' | 'interrupted' | 'died'): void {
    event(session, { type: 'ended', cell, status, elapsedMs: 1 });
  }

  function die(session: string, cause: (typeof DEATH_CAUSES)[number], text: string): void {
    const kernel = kernels.get(session);
    if (kernel === undefined) return;
    kernels.delete(session);
    if (kernel.running !== null) ended(session, kernel.running.cell, 'died');
    event(session, { type: 'died', cell: kernel.running?.cell ?? null, death: { cause, text } });
  }

  function step(session: string): void {
    const kernel = kernels.get(session);
    if (kernel === undefined) return;
    while (kernel.running !== null || kernel.queue.length > 0) {
      if (kernel.running === null) {
        const { cell, code } = kernel.queue.shift()!;
        runs.push({ session, cell, code });
        kernel.running = { cell, rest: code.split('\n') };
        event(session, { type: 'started', cell });
      }
      const { cell, rest } = kernel.running;
      const line = rest.shift();
      if (line === undefined) {
        kernel.running = null;
        ended(session, cell, 'ok');
        continue;
      }
      const [word, ...args] = line.split(' ');
      const text = args.join(' ');
      if (word === 'wait') return;
      if (word === 'say') event(session, { type: 'stdout', cell, text: `${text}\n` });
      else if (word === 'value') event(session, { type: 'result', cell, data: { 'text/plain': text } });
      else if (word === 'image')
        event(session, { type: 'display', cell, data: { 'image/png': 'A'.repeat(Number(text)) } });
      else if (word === 'flood')
        for (let i = 0; i < Number(args[0]); i += 1)
          event(session, { type: 'stdout', cell, text: `${i} ${'.'.repeat(Number(args[1]))}\n` });
      else if (word === 'die') {
        die(session, text as (typeof DEATH_CAUSES)[number], `proof of ${text}`);
        return;
      }
    }
  }

  function take(message: Asked): void {
    asked.push(message);
    const { op, session = '', cell = 0, code = '' } = message;
    const kernel = kernels.get(session);
    if (op === 'hello') say({ t: 'server', server });
    else if (op === 'ping') say({ t: 'pong', id: message.id });
    else if (op === 'open') {
      if (refusal !== null) say({ t: 'refused', session, ...refusal });
      else {
        kernels.set(session, { queue: [], running: null });
        say({ t: 'opened', session });
      }
    } else if (op === 'execute') {
      kernel?.queue.push({ cell, code });
      if (kernel?.running === null) step(session);
    } else if (op === 'interrupt' && kernel?.running != null) {
      const dropped = kernel.queue.splice(0);
      ended(session, kernel.running.cell, 'interrupted');
      kernel.running = null;
      for (const one of dropped) ended(session, one.cell, 'interrupted');
    } else if (op === 'terminate')
      die(session, message.reason === 'idle' ? 'idle' : 'terminated', message.reason ?? '');
    else if (op === 'complete')
      say({ t: 'completed', session, ask: message.ask, matches: [`${code}_done`], start: 0, end: message.cursor });
    for (const look of [...waiting]) look();
  }

  async function start(): Promise<void> {
    hung = false;
    listener = createServer((socket) => {
      client?.destroy();
      client = socket;
      kernels.clear();
      const read = createFrameReader();
      socket.on('data', (chunk) => {
        for (const message of read(chunk)) take(message as Asked);
      });
      socket.on('error', () => {});
    });
    listener.listen(path);
    await once(listener, 'listening');
  }

  await start();
  return {
    ...{ asked, runs, start },
    state(part) {
      server = { ...server, ...part };
      say({ t: 'server', server });
    },
    refuse(code, message) {
      refusal = code === '' ? null : { code, message };
    },
    release: step,
    use: (session, memoryBytes, cpuMs) => void say({ t: 'use', list: [{ session, memoryBytes, cpuMs }] }),
    until: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const found = asked.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    hang() {
      hung = true;
    },
    async stop() {
      client?.destroy();
      client = null;
      listener.close();
      rmSync(path, { force: true });
      await once(listener, 'close');
    },
  };
}

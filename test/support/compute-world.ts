import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import type { NumberedEvent, Session } from '../../common/model/compute.ts';
import { checkConfig } from '../../common/pure/config/check.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import { noFailpoint } from '../../logging/failpoint.ts';
import { managerConfigSchema } from '../../manager/config.ts';
import { createManager, type Manager } from '../../manager/manager.ts';
import { type Agent, createAgent } from '../../node-agent/agent.ts';
import { configOf } from '../../node-agent/config.ts';

export type LiveSocket = Socket<ServerEvents, ClientEvents>;

/** A manager and an agent of ours in this process, linked over real TLS; the compute server is the test's. */
export interface ComputeWorld {
  readonly folder: string;
  readonly socketPath: string;
  readonly url: string;
  call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Envelope<T> }>;
  /** `data` of a call that must succeed. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  session(id: string): Promise<Session>;
  /** Everything that is kept of a session. */
  output(id: string): Promise<NumberedEvent[]>;
  socket(): LiveSocket;
  startManager(): Promise<void>;
  stopManager(): Promise<void>;
  startAgent(): Promise<void>;
  stopAgent(): Promise<void>;
  stop(): Promise<void>;
}

export async function startComputeWorld(options: { socketPath?: string } = {}): Promise<ComputeWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-compute-'));
  const dataDir = join(folder, 'data');
  const socketPath = options.socketPath ?? join(folder, 'compute.sock');
  const sockets: LiveSocket[] = [];
  let manager: Manager | null = null;
  let agent: Agent | null = null;
  let url = '';
  let token = '';
  let agentPort = 0;

  async function call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Envelope<T> }> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(url + path, { method, headers, ...sent });
    return { status: answer.status, body: (await answer.json()) as Envelope<T> };
  }
  async function must<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await call<T>(method, path, body);
    if (answer.body.err !== null)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.body.err} ${answer.body.message}`);
    return answer.body.data;
  }

  const world: ComputeWorld = {
    ...{ folder, socketPath, call },
    get url() {
      return url;
    },
    get: (path) => must('GET', path),
    post: (path, body) => must('POST', path, body ?? {}),
    session: (id) => must('GET', `/api/v1/compute/sessions/${id}`),
    async output(id) {
      const path = `/api/v1/compute/sessions/${id}/output?limit=10000`;
      const all: NumberedEvent[] = [];
      for (;;) {
        const { events, next } = await must<{ events: NumberedEvent[]; next: number }>(
          'GET',
          `${path}&from=${all.length}`,
        );
        all.push(...events);
        if (events.length === 0) return all;
        if (next !== all.length) throw new Error(`next is ${next} after ${all.length} events`);
      }
    },
    socket() {
      const socket: LiveSocket = io(url, { transports: ['websocket'], auth: { token }, forceNew: true });
      sockets.push(socket);
      return socket;
    },
    async startManager() {
      const port = url === '' ? 0 : Number(new URL(url).port);
      const raw = { dataDir, port, adminPassword: 'correct horse battery', logLevel: 'info' };
      manager = createManager(checkConfig(managerConfigSchema, raw, { file: 'test' }), {
        ...{ version: '0.0.0', webFolder: null, stderr: false },
      });
      url = (await manager.start()).url;
      token = readFileSync(join(dataDir, 'local', 'admin.token'), 'utf8').trim();
    },
    async stopManager() {
      for (const socket of sockets.splice(0)) socket.close();
      await manager?.stop();
      manager = null;
    },
    async startAgent() {
      const config = configOf({
        dataDir: join(folder, 'agent'),
        // A restart keeps the port: the manager dials it there.
        port: agentPort,
        enrolFile: join(dataDir, 'local', 'enrol.json'),
        libvirtUri: 'test:///default',
        qemuLogDir: join(folder, 'no-logs'),
        compute: { socket: socketPath },
      });
      agent = await createAgent(config, { version: '0.0.0', failpoint: noFailpoint, stderr: false });
      agentPort = (await agent.start()).port;
    },
    async stopAgent() {
      await agent?.stop();
      agent = null;
    },
    async stop() {
      await world.stopManager();
      await world.stopAgent();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await world.startManager();
  await world.startAgent();
  return world;
}

/** Watches a session from an event on; `until` resolves with all its events so far once they satisfy the test. */
export function watch(socket: LiveSocket, session: string, from = 0) {
  const events: NumberedEvent[] = [];
  const waiting = new Set<() => void>();
  socket.on('compute:output', (batch) => {
    if (batch.session !== session) return;
    events.push(...batch.events);
    for (const look of [...waiting]) look();
  });
  const attached = new Promise<{ session: Session; firstSeq: number; nextSeq: number }>((resolve, reject) => {
    socket.emit('compute:attach', { session, from }, (answer) => {
      if (answer.err === null) resolve(answer.data);
      else reject(new Error(`${answer.err}: ${answer.message}`));
    });
  });
  return {
    ...{ events, attached },
    until(test: (events: NumberedEvent[]) => boolean): Promise<NumberedEvent[]> {
      return new Promise((resolve) => {
        const look = () => {
          if (!test(events)) return;
          waiting.delete(look);
          resolve(events);
        };
        waiting.add(look);
        look();
      });
    },
  };
}

/** True once a cell has ended. */
export const hasEnded = (cell: number) => (events: NumberedEvent[]) =>
  events.some(({ event }) => event.type === 'ended' && event.cell === cell);
/** True once the session has died. */
export const hasDied = (events: NumberedEvent[]) => events.some(({ event }) => event.type === 'died');
/** The numbers must be those of a list: no hole, none twice. */
export const numbers = (events: NumberedEvent[]) => events.map(({ seq }) => seq);

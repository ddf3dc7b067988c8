import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import { type Program, startProgram } from './program.ts';
import { managerIsReady } from './whole-manager.ts';

export const PASSWORD = 'correct horse battery staple';

/** Real programs over one temporary data directory, as `npm start` runs them, on free ports. */
export interface Stack {
  dir: string;
  dataDir: string;
  url: string;
  token: string;
  manager: Program;
  agent: Program | null;
  crawler: Program | null;
  startManager(env?: Record<string, string>): Promise<Program>;
  startAgent(env?: Record<string, string>): Promise<Program>;
  startCrawler(env?: Record<string, string>): Promise<Program>;
  api<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Envelope<T> }>;
  /** `data` of a call that must succeed. */
  get<T>(path: string): Promise<T>;
  socket(): Socket<ServerEvents, ClientEvents>;
  stop(): Promise<void>;
}

interface StackOptions {
  agent?: boolean | Record<string, string>;
  crawler?: boolean | Record<string, string>;
  manager?: Record<string, string>;
  /** Told of the folder of this stack before anything is in it; its data directory is `data` in there. */
  prepare?: (dir: string) => void;
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-flow-'));
  const dataDir = join(dir, 'data');
  options.prepare?.(dir);
  const sockets: Socket[] = [];
  const stack: Partial<Stack> & Pick<Stack, 'dir' | 'dataDir'> = { dir, dataDir, agent: null, crawler: null };

  const startManager: Stack['startManager'] = async (env = {}) => {
    // A restart keeps the port, as a real one would: agents' tokens and open pages name it.
    const port = stack.url === undefined ? '0' : new URL(stack.url).port;
    stack.manager = await startProgram('manager', {
      WEBVIRT_DATA_DIR: dataDir,
      WEBVIRT_PORT: port,
      WEBVIRT_LISTEN: '127.0.0.1',
      WEBVIRT_ADMIN_PASSWORD: PASSWORD,
      ...options.manager,
      ...env,
    });
    stack.url = stack.manager.ready['url'] as string;
    stack.token = readFileSync(join(dataDir, 'local', 'admin.token'), 'utf8').trim();
    await managerIsReady(stack.url);
    return stack.manager;
  };
  const startAgent: Stack['startAgent'] = async (env = {}) => {
    stack.agent = await startProgram('node-agent', {
      WEBVIRT_AGENT_DATA_DIR: join(dataDir, 'agent'),
      WEBVIRT_AGENT_ENROL_FILE: join(dataDir, 'local', 'enrol.json'),
      WEBVIRT_AGENT_LISTEN: '127.0.0.1',
      WEBVIRT_AGENT_PORT: '0',
      WEBVIRT_AGENT_LIBVIRT_URI: 'test:///default',
      // What else this machine says is no part of a test.
      WEBVIRT_AGENT_SOURCES_JOURNAL_ENABLED: 'false',
      ...(typeof options.agent === 'object' ? options.agent : {}),
      ...env,
    });
    return stack.agent;
  };
  const startCrawler: Stack['startCrawler'] = async (env = {}) => {
    stack.crawler = await startProgram('crawler', {
      WEBVIRT_MANAGER_URL: stack.url!,
      WEBVIRT_CRAWLER_TOKEN_FILE: join(dataDir, 'local', 'crawler.token'),
      WEBVIRT_CRAWLER_DATA_DIR: join(dataDir, 'crawler'),
      ...(typeof options.crawler === 'object' ? options.crawler : {}),
      ...env,
    });
    return stack.crawler;
  };
  const api: Stack['api'] = async (method, path, body) => {
    const answer = await fetch(stack.url + path, {
      method,
      headers: {
        authorization: `Bearer ${stack.token}`,
        // A kept connection would be one that a killed manager has closed behind our back.
        connection: 'close',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const whole = Object.assign(stack, {
    startManager,
    startAgent,
    startCrawler,
    api,
    async get<T>(path: string): Promise<T> {
      const { status, body } = await api<T>('GET', path);
      if (body.err !== null) throw new Error(`GET ${path}: ${status} ${body.err} ${body.message}`);
      return body.data;
    },
    socket() {
      const socket = io(stack.url!, { transports: ['websocket'], auth: { token: stack.token }, forceNew: true });
      sockets.push(socket);
      return socket;
    },
    async stop() {
      for (const socket of sockets) socket.close();
      for (const program of [stack.crawler, stack.agent, stack.manager]) await program?.end();
      rmSync(dir, { recursive: true, force: true });
    },
  }) as Stack;
  try {
    await startManager();
    if (options.agent) await startAgent();
    if (options.crawler) await startCrawler();
  } catch (error) {
    await whole.stop();
    throw error;
  }
  return whole;
}

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { HostFacts } from '../../common/model/host.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { NewLine } from '../../common/model/line.ts';
import {
  type AgentMessage,
  type Command,
  type JobReport,
  LINK_PATH,
  LINK_VERSION,
  type ManagerMessage,
} from '../../common/wire/link.ts';
import type { AgentIdentity } from './agent-identity.ts';
import { end, FakeSpool, linesMessage } from './fake-spool.ts';

export interface FakeAgentOptions {
  identity: AgentIdentity;
  port?: number;
  address?: string;
  name?: string;
  /** How many instances it reports, all running. */
  instances?: number;
  facts?: Partial<HostFacts>;
  spool?: FakeSpool;
  /** Most bytes that are sent and not acked. */
  windowBytes?: number;
  /** Most bytes of one message of lines. */
  messageBytes?: number;
  /** Answers a command; absent: every command is done at once. */
  onCommand?: (command: Command, report: (job: Partial<JobReport>) => void) => void;
}

/** An agent that speaks the real wire over real TLS, with no libvirt behind it. Many of them fit into one process. */
export interface FakeAgent {
  id: string;
  port: number;
  spool: FakeSpool;
  instances: AgentInstance[];
  /** Messages of the manager, in order. */
  received: ManagerMessage[];
  commands: Command[];
  /** Number of links that were opened so far. */
  links: number;
  /** Spools lines as one frame and sends what the window allows. */
  log(lines: NewLine[]): void;
  /** Sends what waits and the window allows. */
  pump(): void;
  send(message: AgentMessage): void;
  /** Sends anything at all. */
  sendRaw(data: Buffer | string): void;
  /** Tells a changed instance, whole. */
  change(id: string, part: Partial<AgentInstance>): void;
  /** From now on nothing is answered, as a process that hangs; the sockets stay open. */
  hang(): void;
  /** Cuts the open link. */
  cut(): void;
  /** Resolves when the manager has acked everything, or sent a message that fits. */
  acked(): Promise<void>;
  until(test: (message: ManagerMessage) => boolean): Promise<ManagerMessage>;
  stop(): Promise<void>;
}

export function fakeInstance(host: number, i: number): AgentInstance {
  const id = `${host.toString(16).padStart(8, '0')}-0000-4000-8000-${i.toString(16).padStart(12, '0')}`;
  const disks = [{ target: 'vda', source: `/var/lib/libvirt/images/${i}.qcow2`, device: 'disk', format: 'qcow2' }];
  const base = { id, name: `vm-${host}-${i}`, state: 'running' as const, vcpus: 2, memoryBytes: 2 ** 30 };
  return { ...base, autostart: false, persistent: true, disks };
}

let agents = 0;

export async function startFakeAgent(options: FakeAgentOptions): Promise<FakeAgent> {
  const { identity } = options;
  const index = ++agents;
  const spool = options.spool ?? new FakeSpool();
  const windowBytes = options.windowBytes ?? 8 * 1024 ** 2;
  const messageBytes = options.messageBytes ?? 512 * 1024;
  const facts: HostFacts = {
    name: options.name ?? `fake-${index}`,
    cpus: 8,
    memoryBytes: 2 ** 34,
    hypervisor: { driver: 'qemu', uri: 'qemu:///system', version: '9.0.0' },
    libvirtAnswers: true,
    ...options.facts,
  };
  const server = createServer({
    ...{ key: identity.key, cert: identity.cert, ca: identity.ca },
    ...{ minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true },
  });
  const sockets = new WebSocketServer({ server, path: LINK_PATH, perMessageDeflate: false });
  const waiters = new Set<() => void>();
  let socket: WebSocket | null = null;
  let resumed = false;
  let hung = false;
  let sentUpTo = 0;
  let unackedBytes = 0;
  let retry: NodeJS.Timeout | null = null;

  const agent: FakeAgent = {
    id: identity.id,
    port: 0,
    spool,
    instances: Array.from({ length: options.instances ?? 0 }, (_, i) => fakeInstance(index, i)),
    received: [],
    commands: [],
    links: 0,
    log(lines) {
      spool.add(lines);
      agent.pump();
    },
    pump() {
      while (socket !== null && resumed && !hung && unackedBytes < windowBytes) {
        const from = spool.frames.findIndex((frame) => frame.header.first >= sentUpTo);
        if (from < 0) return;
        let to = from;
        for (let bytes = 0; to < spool.frames.length && (to === from || bytes < messageBytes); to += 1)
          bytes += spool.frames[to]!.body.byteLength;
        const frames = spool.frames.slice(from, to);
        for (const frame of frames) unackedBytes += frame.body.byteLength;
        sentUpTo = end(frames.at(-1)!);
        socket.send(linesMessage(frames));
      }
    },
    send: (message) => agent.sendRaw(JSON.stringify(message)),
    sendRaw: (data) => socket?.send(data, { binary: typeof data !== 'string' }),
    change(id, part) {
      agent.instances = agent.instances.map((one) => (one.id === id ? { ...one, ...part } : one));
      const instance = agent.instances.find((one) => one.id === id);
      if (instance !== undefined && resumed) agent.send({ t: 'instance', instance });
    },
    hang() {
      hung = true;
    },
    cut: () => socket?.terminate(),
    acked: () => wait(() => spool.frames.length === 0),
    async until(test) {
      await wait(() => agent.received.some(test));
      return agent.received.find(test)!;
    },
    async stop() {
      if (retry !== null) clearTimeout(retry);
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function wait(test: () => boolean): Promise<void> {
    while (!test()) {
      await new Promise<void>((resolve) => {
        waiters.add(resolve);
      });
    }
  }
  function told(): void {
    for (const waiter of [...waiters]) waiter();
    waiters.clear();
  }

  /** Goes back to the oldest frame that is not acked. */
  function rewind(): void {
    sentUpTo = spool.frames[0]?.header.first ?? spool.next;
    unackedBytes = 0;
    agent.pump();
  }

  function onMessage(message: ManagerMessage): void {
    agent.received.push(message);
    if (message.t === 'resume') {
      for (const { epoch, next } of message.cursors) spool.acked(epoch, next);
      resumed = true;
      agent.send({ t: 'instances', list: agent.instances });
      agent.send({ t: 'host', host: facts, load: null, clockMs: Date.now(), spoolLines: 0 });
      rewind();
    } else if (message.t === 'ack') {
      const before = spool.frames.length;
      const freed = spool.frames.filter((frame) => end(frame) <= message.next && frame.header.epoch === message.epoch);
      spool.acked(message.epoch, message.next);
      if (before > spool.frames.length) for (const frame of freed) unackedBytes -= frame.body.byteLength;
      agent.pump();
    } else if (message.t === 'nack') {
      retry ??= setTimeout(() => {
        retry = null;
        rewind();
      }, message.retryMs);
    } else if (message.t === 'new-epoch') {
      spool.newEpoch();
      rewind();
    } else if (message.t === 'ping') agent.send({ t: 'pong', id: message.id });
    else if (message.t === 'command') {
      agent.commands.push(message.command);
      answer(message.command);
    }
    told();
  }

  function answer(command: Command): void {
    const { opId, verb, instance } = command;
    const report = (part: Partial<JobReport>) => {
      const times = { startedMs: Date.now(), endedMs: Date.now() };
      const done = { opId, verb, instance, state: 'done' as const, final: true, progress: 1, ...times };
      agent.send({ t: 'job', job: { ...done, error: null, result: null, ...part } });
    };
    if (options.onCommand === undefined) report({});
    else options.onCommand(command, report);
  }

  sockets.on('connection', (opened) => {
    socket?.terminate();
    socket = opened;
    resumed = false;
    agent.links += 1;
    opened.on('message', (data) => {
      if (!hung && socket === opened) onMessage(JSON.parse(String(data)) as ManagerMessage);
    });
    opened.on('error', () => {});
    opened.on('close', () => {
      if (socket === opened) socket = null;
      told();
    });
    const epochs = [spool.range()];
    const hello = {
      t: 'hello' as const,
      v: LINK_VERSION as 1,
      version: '0.0.0-fake',
      clockMs: Date.now(),
      host: facts,
      epochs,
    };
    if (!hung) agent.send(hello);
    told();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.address ?? '127.0.0.1', resolve);
  });
  agent.port = (server.address() as AddressInfo).port;
  return agent;
}

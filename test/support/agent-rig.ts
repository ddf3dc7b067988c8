import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import WebSocket from 'ws';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { AgentMessage, FrameHeader, ManagerMessage } from '../../common/wire/link.ts';
import { type Failpoint, noFailpoint } from '../../logging/failpoint.ts';
import { createLogger } from '../../logging/logger.ts';
import { createSpool, type Spool } from '../../logging/spool/spool.ts';
import { type Ca, openCa } from '../../manager/enrolment/ca.ts';
import { x509 } from '../../manager/enrolment/keys.ts';
import { type Identity, openIdentity } from '../../node-agent/identity/identity.ts';
import { certificateRequest } from '../../node-agent/identity/keys.ts';
import { createHandlers } from '../../node-agent/serve/handlers.ts';
import { createLinkServer, type LinkTimes } from '../../node-agent/serve/link.ts';
import { createNodeServer } from '../../node-agent/serve/server.ts';
import { standInCommands, standInHypervisor } from './agent-stand-ins.ts';

export interface Pem {
  key: string;
  cert: string;
}

/** An agent's port over a real identity and spool; libvirt and commands are stand-ins that tests move. */
export async function startAgentRig(options: {
  enrolled: boolean;
  failpoint?: Failpoint;
  instances?: number;
  times?: LinkTimes;
}) {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-agent-'));
  const now = Date.now;
  const ca = await openCa(join(folder, 'ca'), now());
  const link = await ca.issue('manager-link', 'webvirt-manager', ['webvirt-manager'], now());
  const identity = await openIdentity({ folder: join(folder, 'identity'), now });
  if (options.enrolled) await enrolHere(ca, identity);
  const spool = createSpool({ path: join(folder, 'spool.sqlite'), capBytes: 64e6, batchMaxLines: 50, now });
  const log = createLogger({ program: 'agent', level: 'debug', stderr: false, sinks: [] });
  const hypervisor = standInHypervisor(options.instances ?? 2);
  const commands = standInCommands();
  const failpoint = options.failpoint ?? noFailpoint;
  const links = createLinkServer({ version: '1.2.3', spool, hypervisor, commands, failpoint, log, now }, options.times);
  const status = () => ({
    id: identity.id,
    state: identity.enrolment() === null ? ('unenrolled' as const) : ('enrolled' as const),
    version: '1.2.3',
    name: 'host "one"',
    port: 0,
    startedMs: 0,
    managerUrl: null,
    enrolledMs: null,
    link: links.state(),
    libvirtAnswers: true,
    spool: spool.waiting(),
  });
  const resources = {
    read: async () => ({ pools: [], images: [], networks: [], domainType: null, memoryAvailableBytes: 0 }),
  };
  const handlers = createHandlers({ hypervisor, commands, resources, spool, spoolCapBytes: 64e6, status });
  const server = createNodeServer({ listen: '127.0.0.1', port: 0 }, { identity, handlers, link: links, log });
  const port = await server.start();
  return {
    ...{ folder, ca, link, identity, spool, hypervisor, commands, port, links },
    /** Calls the port with a certificate or none. */
    call: (method: string, path: string, as?: Pem, body?: unknown) => call({ port, method, path, as, body }),
    /** A link as the manager opens it. */
    dial: (as: Pem = link) => dial(port, as, identity.enrolment() === null ? null : ca),
    async stop() {
      links.stop();
      await server.stop();
      spool.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type AgentRig = Awaited<ReturnType<typeof startAgentRig>>;

/** Gives an identity a certificate of this CA, without the protocol. */
export async function enrolHere(ca: Ca, identity: Identity): Promise<void> {
  const { der } = await certificateRequest(identity.keyPem);
  const { publicKey } = new x509.Pkcs10CertificateRequest(new Uint8Array(der));
  identity.enrolled('https://manager.test:4600', await ca.signAgent(identity.id, publicKey, Date.now()), ca.cert);
}

export function fill(spool: Spool, count: number, text = 'line'): void {
  for (let i = 0; i < count; i += 1) spool.append({ tsMs: i, level: 'info', source: 'file', message: `${text} ${i}` });
  spool.flush();
}

interface Asked {
  port: number;
  method: string;
  path: string;
  as: Pem | undefined;
  body: unknown;
}

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: Envelope<unknown>;
}

async function call({ port, method, path, as, body }: Asked): Promise<Answered> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const asked = request({
    port,
    host: '127.0.0.1',
    method,
    path,
    headers,
    ...as,
    rejectUnauthorized: false,
    agent: false,
  });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = await once(asked, 'response');
  let text = '';
  for await (const part of answer) text += part;
  return { status: answer.statusCode, headers: answer.headers, text, json: JSON.parse(text) };
}

export interface HeardFrame {
  header: FrameHeader;
  body: Buffer;
}

/** A manager's end of a link that writes down what it hears; `until` awaits what must come. */
async function dial(port: number, as: Pem, ca: Ca | null) {
  const socket = new WebSocket(`wss://127.0.0.1:${port}/v1/link`, {
    ...as,
    ...(ca === null ? { rejectUnauthorized: false } : { ca: ca.cert }),
    checkServerIdentity: (() => undefined) as never,
  });
  const messages: AgentMessage[] = [];
  const frames: HeardFrame[] = [];
  const batches: number[] = [];
  let closed = false;
  let wake: () => void = () => {};
  const heard = () => wake();
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) messages.push(JSON.parse(data.toString()) as AgentMessage);
    else {
      const end = data.indexOf(10);
      let at = end + 1;
      const headers = (JSON.parse(data.toString('utf8', 0, end)) as { frames: FrameHeader[] }).frames;
      batches.push(data.length);
      for (const header of headers) {
        frames.push({ header, body: data.subarray(at, at + header.bytes) });
        at += header.bytes;
      }
    }
    heard();
  });
  socket.on('close', () => {
    closed = true;
    heard();
  });
  const refused = new Promise<{ status: number; text: string }>((resolve) => {
    socket.on('unexpected-response', async (_request, answer) => {
      let text = '';
      for await (const part of answer) text += part;
      resolve({ status: answer.statusCode ?? 0, text });
    });
  });
  socket.on('error', () => {});
  const until = async (is: () => boolean): Promise<void> => {
    while (!is())
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };
  return {
    ...{ socket, messages, frames, batches, refused, until },
    isClosed: () => closed,
    send: (message: ManagerMessage) => socket.send(JSON.stringify(message)),
    /** Messages of one kind so far. */
    of: <T extends AgentMessage['t']>(t: T) =>
      messages.filter((message): message is Extract<AgentMessage, { t: T }> => message.t === t),
    lines: () =>
      frames.flatMap(({ header, body }) => (header.gap ? [] : (JSON.parse(body.toString()).message as string[]))),
    cut: () => (socket as unknown as { _socket: TLSSocket })._socket.destroy(),
  };
}

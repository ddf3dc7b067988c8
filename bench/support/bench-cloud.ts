import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import type { Host } from '../../common/model/host.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import { openCa } from '../../manager/enrolment/ca.ts';
import { LINK_NAME } from '../../manager/enrolment/own-certificates.ts';
import { AGENT_PORT, type LabConsole, startConsole } from '../../test/lab/console.ts';
import { enrolHosts } from '../../test/lab/enrol.ts';
import type { LabHost } from '../../test/lab/host.ts';
import { createLab, type Lab } from '../../test/lab/lab.ts';
import { untilBody } from '../../test/support/live.ts';
import { ROOT } from '../../test/support/program.ts';
import type { Undo } from './bench.ts';
import type { ProbeTimes } from './host-probe.ts';

export const PASSWORD = 'correct horse battery staple';

/** Hosts with a real libvirt in a lab of their own, enrolled with the built programs. `host` is the first. */
export interface BenchCloud {
  lab: Lab;
  host: LabHost;
  console: LabConsole;
  socket: Socket<ServerEvents, ClientEvents>;
  get<T>(path: string): Promise<T>;
  /** Sends and answers the data. @throws with the code and the message of a refusal. */
  send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** Runs the probe inside the host, with a certificate of the kind that the manager's links have. */
  probe(agentId: string, ids: string[]): Promise<ProbeTimes>;
}

export interface CloudOptions {
  /** 1 unless told. */
  hosts?: number;
  /** True: a compute server on each host. */
  compute?: boolean;
}

/** Builds it; every part registers how to undo it before it is used. */
export async function startCloud(later: (undo: Undo) => void, options: CloudOptions = {}): Promise<BenchCloud> {
  const { hosts = 1, compute } = options;
  const distDir = join(ROOT, 'dist');
  const lab = createLab({ name: `wvb-${process.pid}`, hosts });
  later(() => lab.down());
  await lab.up();
  const cloud = await startConsole(lab, {
    distDir,
    port: 4600,
    listenPort: 0,
    adminPassword: PASSWORD,
    ...(compute ? { compute: {} } : {}),
  });
  later(() => cloud.stop());
  await enrolHosts(lab, cloud, { distDir, port: 4600 });
  const { url, dataDir } = cloud;
  const token = readFileSync(join(dataDir, 'local', 'admin.token'), 'utf8').trim();
  const socket: BenchCloud['socket'] = io(url, { transports: ['websocket'], auth: { token }, forceNew: true });
  later(() => socket.close());
  await untilBody<Host[]>(
    socket,
    '/api/v1/hosts',
    (list) => list.filter(({ state }) => state === 'online').length === hosts,
  );
  const host = lab.hosts[0]!;
  return {
    ...{ lab, host, console: cloud, socket },
    async get<T>(path: string): Promise<T> {
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
      return ((await answer.json()) as { data: T }).data;
    },
    async send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const answer = (await (await fetch(url + path, init)).json()) as Envelope<T>;
      if (answer.err !== null) throw new Error(`${method} ${path}: ${answer.err}: ${answer.message}`);
      return answer.data;
    },
    async probe(agentId, ids) {
      const ca = await openCa(join(dataDir, 'ca'), Date.now());
      const tlsFile = join(dataDir, 'probe.json');
      const link = await ca.issue('manager-link', LINK_NAME, [LINK_NAME], Date.now());
      writeFileSync(tlsFile, JSON.stringify({ ...link, ca: ca.cert }), { mode: 0o600 });
      const order = JSON.stringify({ address: host.address, port: AGENT_PORT, agentId, tlsFile, ids });
      const script = join(ROOT, 'bench', 'support', 'host-probe.ts');
      const { code, stdout, stderr } = await host.exec([process.execPath, '--import', 'tsx', script, order], {
        cwd: ROOT,
        timeoutMs: 60_000,
      });
      if (code !== 0) throw new Error(`the probe ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as ProbeTimes;
    },
  };
}

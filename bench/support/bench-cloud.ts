import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import type { Host } from '../../common/model/host.ts';
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

/** One host with a real libvirt in a lab of its own, enrolled with the built programs. */
export interface BenchCloud {
  lab: Lab;
  host: LabHost;
  console: LabConsole;
  socket: Socket<ServerEvents, ClientEvents>;
  get<T>(path: string): Promise<T>;
  /** Runs the probe inside the host, with a certificate of the kind that the manager's links have. */
  probe(agentId: string, ids: string[]): Promise<ProbeTimes>;
}

/** Builds it; every part registers how to undo it before it is used. */
export async function startCloud(later: (undo: Undo) => void): Promise<BenchCloud> {
  const distDir = join(ROOT, 'dist');
  const lab = createLab({ name: `wvb-${process.pid}`, hosts: 1 });
  later(() => lab.down());
  await lab.up();
  const cloud = await startConsole(lab, { distDir, port: 4600, listenPort: 0, adminPassword: PASSWORD });
  later(() => cloud.stop());
  await enrolHosts(lab, cloud, { distDir, port: 4600 });
  const { url, dataDir } = cloud;
  const token = readFileSync(join(dataDir, 'local', 'admin.token'), 'utf8').trim();
  const socket: BenchCloud['socket'] = io(url, { transports: ['websocket'], auth: { token }, forceNew: true });
  later(() => socket.close());
  await untilBody<Host[]>(socket, '/api/v1/hosts', (list) => list.some(({ state }) => state === 'online'));
  const host = lab.hosts[0]!;
  return {
    ...{ lab, host, console: cloud, socket },
    async get<T>(path: string): Promise<T> {
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
      return ((await answer.json()) as { data: T }).data;
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

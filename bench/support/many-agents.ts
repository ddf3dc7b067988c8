import { createServer } from 'node:net';
import { join } from 'node:path';
import { caHash } from '../../manager/enrolment/ca.ts';
import { makeEnrolToken } from '../../manager/enrolment/enrol-token.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';
import { enrolClient, tryEnrol } from '../../test/support/enrol-client.ts';
import { type FakeAgent, startFakeAgent } from '../../test/support/fake-agent.ts';
import type { Stack } from '../../test/support/stack.ts';

/**
 * Agents in this process, each enrolled with the manager of the stack by a token of its own. The tokens are put into the
 * state of a manager that is stopped for it: the only way to get one of its programs is a scan.
 */
export async function enrolMany(stack: Stack, caPem: string, count: number, instances: number): Promise<FakeAgent[]> {
  await stack.manager.end();
  const state = openStateStore(join(stack.dataDir, 'webvirt.sqlite'));
  const order = { agent: null, actor: 'bench', nowMs: Date.now() };
  const hash = caHash(caPem);
  const tokens = Array.from({ length: count }, () => makeEnrolToken(state.enrolTokens, hash, order).text);
  state.close();
  await stack.startManager();
  const managerPort = Number(new URL(stack.url).port);
  const ports = await freePorts(count);
  return Promise.all(
    tokens.map(async (token, i) => {
      const client = await enrolClient();
      const port = ports[i]!;
      const { data, err } = await tryEnrol(managerPort, { token, client, port });
      if (data === null) throw new Error(`agent ${i} was not enrolled: ${err}`);
      const identity = { id: client.id, key: client.key, ...data };
      return startFakeAgent({ identity, port, instances, name: `host-${String(i + 1).padStart(2, '0')}` });
    }),
  );
}

/** Ports that were free a moment ago: an agent must name its port before it has the certificate to listen with. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  return Promise.all(
    servers.map((server) => {
      const { port } = server.address() as { port: number };
      return new Promise<number>((resolve) => server.close(() => resolve(port)));
    }),
  );
}

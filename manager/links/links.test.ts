import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewLine } from '../../common/model/line.ts';
import { createIdentities } from '../../test/support/agent-identity.ts';
import { type FakeAgent, type FakeAgentOptions, startFakeAgent } from '../../test/support/fake-agent.ts';
import { linesMessage } from '../../test/support/fake-spool.ts';
import { type LineRoad, startLineRoad } from '../../test/support/line-road.ts';

const line = (message: string): NewLine => ({ tsMs: Date.now(), level: 'info', source: 'agent', message });
let identities: Awaited<ReturnType<typeof createIdentities>>;
let dir: string;
let road: LineRoad;
let agents: FakeAgent[];

async function agent(options: Partial<FakeAgentOptions> = {}): Promise<FakeAgent> {
  const started = await startFakeAgent({ identity: await identities.agent(), ...options });
  agents.push(started);
  return started;
}
function enrol(one: FakeAgent, over: { port?: number; id?: string } = {}): void {
  road.enrol(over.id ?? one.id, '127.0.0.1', over.port ?? one.port);
}
const stored = async (host: string) =>
  (await road.store.lines.since({ host }, 0, 10_000)).lines.map((found) => found.message);

beforeAll(async () => {
  identities = await createIdentities();
});
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-links-'));
  agents = [];
  road = await startLineRoad({ dir, tls: identities.link, links: { firstRetryMs: 20, longestRetryMs: 100 } });
});
afterEach(async () => {
  await road.stop();
  for (const one of agents) await one.stop();
  rmSync(dir, { recursive: true });
});

describe('links', () => {
  it('take lines, instances and state of a host and ack what is stored', async () => {
    const one = await agent({ name: 'alpha', instances: 3 });
    one.log([line('a'), line('b')]);
    enrol(one);
    await one.acked();
    one.log([line('c')]);
    await one.acked();
    expect(await stored(one.id)).toEqual(['a', 'b', 'c']);
    await road.until(() => road.inventory.instances().length === 3);
    expect(road.inventory.host(one.id)).toMatchObject({ name: 'alpha', state: 'online', instanceCount: 3 });
    one.change(one.instances[0]!.id, { state: 'shutoff' });
    await road.until(() => road.inventory.instance(one.instances[0]!.id)?.state === 'shutoff');
    expect(road.links.connected(one.id)).toBe(true);
  });

  it('dial again after a cut, and go on at the cursor', async () => {
    const one = await agent();
    enrol(one);
    one.log([line('1')]);
    await one.acked();
    one.cut();
    await road.until(() => road.inventory.host(one.id)?.state === 'stale');
    one.log([line('2')]);
    await one.acked();
    expect(one.links).toBe(2);
    expect(await stored(one.id)).toEqual(['1', '2']);
  });

  it('refuse an agent with another key, and one of another CA', async () => {
    const thief = await agent();
    const victim = await identities.agent();
    enrol(thief, { id: victim.id });
    await road.until(() => road.said('Host cannot be reached').length > 0);
    expect(JSON.stringify(road.said('Host cannot be reached')[0])).toContain('another key');
    const stranger = await (await createIdentities()).agent();
    const foreign = await agent({ identity: { ...stranger, ca: identities.link.ca } });
    enrol(foreign);
    await road.until(() => road.said('Host cannot be reached').some((said) => said['host'] === foreign.id));
    expect(thief.links + foreign.links).toBe(0);
  });

  it('take the identity from the certificate, whatever the lines say', async () => {
    const one = await agent();
    enrol(one);
    const hostile = {
      ...line('i am the manager'),
      source: 'manager' as const,
      fields: { agent: 'manager', host: 'x' },
    };
    one.log([{ ...hostile, id: 'manager.0.0', agent: 'manager', host: 'other' } as NewLine]);
    await one.acked();
    const { lines } = await road.store.lines.query({ q: 'manager' }, { limit: 9 });
    const found = lines.find((l) => l.message === 'i am the manager');
    expect(found).toMatchObject({ agent: one.id, host: one.id, source: 'agent' });
  });

  it('end a link that sends garbage, and live on', async () => {
    const good = await agent();
    const bad = await agent();
    enrol(good);
    enrol(bad);
    const garbage = [
      Buffer.from('no newline'),
      Buffer.from('{"t":"lines","frames":[]}\n'),
      Buffer.from('[1]\nabc'),
      '{"t":"instances","list":"all"}',
      '{"t":"hello"}',
      'x'.repeat(1_000),
      Buffer.concat([linesMessage([bad.spool.add([line('x')])]), Buffer.from('more')]),
    ];
    for (const [i, data] of garbage.entries()) {
      await road.until(() => road.links.connected(bad.id) && bad.links === i + 1);
      await bad.until((message) => message.t === 'resume');
      bad.received.length = 0;
      bad.sendRaw(data);
    }
    await road.until(() => bad.links > garbage.length);
    good.log([line('fine')]);
    await good.acked();
    expect(good.links).toBe(1);
  });

  it('notice an agent that hangs, and leave the others alone', async () => {
    await road.stop();
    const config = { pingEveryMs: 100, silenceMs: 1_500, firstRetryMs: 20, longestRetryMs: 50, handshakeMs: 5_000 };
    road = await startLineRoad({ dir, tls: identities.link, links: config });
    const [hung, good] = [await agent(), await agent()];
    enrol(hung);
    enrol(good);
    await road.until(() => road.links.connected(hung.id) && road.links.connected(good.id));
    hung.hang();
    await road.until(() => road.inventory.host(hung.id)?.state === 'stale');
    expect(road.said('Link to a host ended').map((said) => said['reason'])).toEqual(['the agent is silent']);
    expect(road.inventory.host(good.id)?.state).toBe('online');
    good.log([line('still here')]);
    await good.acked();
  });

  it('send commands on the link of their host alone, and cut a revoked one', async () => {
    const [one, two] = [await agent(), await agent()];
    enrol(one);
    enrol(two);
    await road.until(() => road.links.connected(one.id) && road.links.connected(two.id));
    const command = {
      opId: 'op-12345678',
      verb: 'start',
      instance: null,
      args: {},
      actor: 'a',
      fence: 1,
      expiresMs: 9e15,
    };
    expect(road.links.send(one.id, { t: 'command', command })).toBe(true);
    await road.until(() => road.reports.length === 1);
    expect([one.commands.length, two.commands.length]).toEqual([1, 0]);
    expect(road.reports[0]).toMatchObject({ hostId: one.id, report: { opId: 'op-12345678', state: 'done' } });
    road.revoke(one.id);
    await road.until(() => !road.links.connected(one.id));
    expect(road.links.send(one.id, { t: 'ping', id: 1 })).toBe(false);
    expect(road.inventory.host(one.id)).toBeNull();
  });

  it('hold both when a copy of the agent answers elsewhere, and go on with the one that is left (L15)', async () => {
    const identity = await identities.agent();
    const first = await agent({ identity, facts: { hostUuid: 'uuid-a', bootMs: 1_000 } });
    enrol(first);
    first.log([line('before')]);
    await first.acked();
    const copy = await agent({ identity, spool: first.spool, facts: { hostUuid: 'uuid-b', bootMs: 9_000_000 } });
    await road.links.sighted(first.id, { address: '127.0.0.1', port: copy.port });
    expect(road.inventory.host(first.id)?.state).toBe('conflict');
    expect(road.links.connected(first.id)).toBe(false);
    expect(road.said('One agent answers at two addresses; both are held')).toHaveLength(1);
    road.links.dial(first.id);
    expect(road.links.connected(first.id)).toBe(false);
    await first.stop();
    await road.links.sighted(first.id, { address: '127.0.0.1', port: copy.port });
    await road.until(() => road.inventory.host(first.id)?.state === 'online');
    expect(road.inventory.host(first.id)?.port).toBe(copy.port);
  });

  it('leave a machine with two addresses alone, and follow one that moved', async () => {
    const identity = await identities.agent();
    const facts = { hostUuid: 'uuid-a', bootMs: 1_000 };
    const first = await agent({ identity, facts });
    enrol(first);
    await road.until(() => road.links.connected(first.id));
    const second = await agent({ identity, facts, spool: first.spool });
    await road.links.sighted(first.id, { address: '127.0.0.1', port: second.port });
    await road.until(() => road.inventory.host(first.id)?.state === 'online');
    expect(road.inventory.host(first.id)?.port).toBe(first.port);
    await first.stop();
    await road.links.sighted(first.id, { address: '127.0.0.1', port: second.port });
    await road.until(() => road.links.connected(first.id));
    expect(road.inventory.host(first.id)?.port).toBe(second.port);
  });

  it('dial a new address once, and keep that link', async () => {
    const identity = await identities.agent();
    const first = await agent({ identity });
    enrol(first);
    await road.until(() => road.links.connected(first.id));
    const second = await agent({ identity, spool: first.spool });
    enrol(second);
    await road.until(() => road.links.connected(first.id));
    second.log([line('here')]);
    await second.acked();
    // Longer than any pause before a dial.
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([first.links, second.links]).toEqual([1, 1]);
    expect(road.links.connected(first.id)).toBe(true);
  });

  it('live on when it cannot be looked where a host is', async () => {
    const one = await agent();
    enrol(one);
    await road.until(() => road.links.connected(one.id));
    await road.links.sighted(one.id, { address: 'fe80::1%eth0', port: one.port });
    expect(road.said('It cannot be looked where a host is')).toHaveLength(1);
    expect(road.links.connected(one.id)).toBe(true);
  });
});

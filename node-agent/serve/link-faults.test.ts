import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentRig, fill, startAgentRig } from '../../test/support/agent-rig.ts';

let rig: AgentRig;
beforeEach(async () => {
  rig = await startAgentRig({ enrolled: true });
});
afterEach(() => rig.stop());

async function open() {
  const manager = await rig.dial();
  await manager.until(() => manager.of('hello').length === 1);
  manager.send({ t: 'resume', cursors: [] });
  return manager;
}

test('a disk that fails costs the link, not the agent, and the next link goes on', async () => {
  fill(rig.spool, 10);
  const { read } = rig.spool;
  const fail = () => {
    throw new Error('disk I/O error');
  };
  rig.spool.read = fail;
  const first = await open();
  await first.until(first.isClosed);
  rig.spool.read = read;
  const second = await open();
  await second.until(() => second.lines().length === 10);
  rig.spool.read = fail;
  const { epoch, first: from, count, hash } = second.frames[0]!.header;
  second.send({ t: 'ack', epoch, next: from + count, hash });
  await second.until(second.isClosed);
  expect(rig.links.state().connected).toBe(false);
});

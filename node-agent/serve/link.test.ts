import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebvirtError } from '../../common/errors.ts';
import { agentMessageSchema, EMPTY_HASH, managerMessageSchema } from '../../common/wire/link.ts';
import { type AgentRig, fill, startAgentRig } from '../../test/support/agent-rig.ts';

let rig: AgentRig;
beforeEach(async () => {
  rig = await startAgentRig({ enrolled: true });
});
afterEach(() => rig.stop());

type Manager = Awaited<ReturnType<AgentRig['dial']>>;

async function open(cursors: { epoch: string; next: number; hash: string }[] = []): Promise<Manager> {
  const manager = await rig.dial();
  await manager.until(() => manager.of('hello').length === 1);
  manager.send({ t: 'resume', cursors });
  return manager;
}

const ackOf = ({ frames }: Manager, at = -1) => {
  const { epoch, first, count, hash } = frames.at(at)!.header;
  return { t: 'ack' as const, epoch, next: first + count, hash };
};
const epoch = () => rig.spool.epochs().at(-1)!.epoch;
const ID = '00000000-0000-4000-8000-000000000001';
const command = (opId: string) => ({
  t: 'command' as const,
  command: { opId, verb: 'start', instance: ID, args: {}, actor: 'a@b', fence: 1, expiresMs: 9e12 },
});

describe('lines', () => {
  test('nothing is sent before the manager says where to go on; then all that waits, then the tail at once', async () => {
    fill(rig.spool, 120);
    const manager = await rig.dial();
    await manager.until(() => manager.of('hello').length === 1);
    expect(manager.of('hello')[0]!.epochs).toEqual([{ epoch: epoch(), first: 0, next: 120 }]);
    expect(manager.frames).toEqual([]);
    manager.send({ t: 'resume', cursors: [] });
    await manager.until(() => manager.lines().length === 120);
    expect(manager.batches.length).toBe(1);
    rig.spool.append({ tsMs: 1, level: 'info', source: 'file', message: 'tail' });
    await manager.until(() => manager.lines().length === 121);
    expect(manager.lines().at(-1)).toBe('tail');
    expect(manager.frames[0]!.header.prev).toBe(EMPTY_HASH);
  });

  test('an ack frees the spool; the next link goes on behind it and repeats what was not acked', async () => {
    fill(rig.spool, 100);
    const first = await open();
    await first.until(() => first.lines().length === 100);
    const ack = ackOf(first, 0);
    first.send(ack);
    first.cut();
    await first.until(first.isClosed);
    const second = await open([ack]);
    await second.until(() => second.lines().length === 50);
    expect(second.lines()[0]).toBe('line 50');
    second.send(ackOf(second));
    second.send({ t: 'ping', id: 1 });
    await second.until(() => second.of('pong').length === 1);
    rig.spool.flush();
    expect(rig.spool.waiting().lines).toBe(0);
  });

  test('a nack makes it send again from the cursor after a while', async () => {
    fill(rig.spool, 100);
    const manager = await open();
    await manager.until(() => manager.lines().length === 100);
    manager.send(ackOf(manager, 0));
    manager.send({ t: 'nack', epoch: epoch(), reason: 'no room', retryMs: 20 });
    await manager.until(() => manager.lines().length === 150);
    expect(manager.lines().slice(100)).toEqual(manager.lines().slice(50, 100));
  });

  test('at most the window is on its way; acks let more out', async () => {
    const big = 'x'.repeat(40_000);
    for (let i = 0; i < 500; i += 1)
      rig.spool.append({ tsMs: i, level: 'info', source: 'file', message: `${i} ${big}` });
    rig.spool.flush();
    const manager = await open();
    const bytes = () => manager.batches.reduce((sum, size) => sum + size, 0);
    await manager.until(() => bytes() > 8e6);
    // A ping behind the lines: what was to come before its answer is here.
    manager.send({ t: 'ping', id: 1 });
    await manager.until(() => manager.of('pong').length === 1);
    expect(bytes()).toBeLessThan(9.5e6);
    while (manager.lines().length < 500) {
      const before = manager.frames.length;
      manager.send(ackOf(manager));
      await manager.until(() => manager.frames.length > before);
    }
    expect(manager.lines().map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  test('older epochs go first', async () => {
    fill(rig.spool, 10, 'old');
    const old = epoch();
    rig.spool.newEpoch('asked');
    fill(rig.spool, 10, 'new');
    const manager = await open();
    await manager.until(() => manager.lines().length === 21);
    expect(new Set(manager.frames.map(({ header }) => header.epoch))).toEqual(new Set([old, epoch()]));
    expect(manager.lines()[0]).toBe('old 0');
    expect(manager.lines().at(-1)).toBe('new 9');
  });

  test('a manager that is ahead of the spool (it was restored) gets the lines that wait in a new epoch', async () => {
    fill(rig.spool, 30);
    const old = epoch();
    const manager = await open([{ epoch: old, next: 500, hash: 'a'.repeat(32) }]);
    await manager.until(() => manager.lines().length === 31);
    expect(manager.frames.every(({ header }) => header.epoch !== old)).toBe(true);
    expect(manager.lines()[0]).toBe('line 0');
  });

  test('new-epoch before the resume and in the middle: the lines come again under new numbers, none is lost', async () => {
    fill(rig.spool, 30);
    const old = epoch();
    const manager = await rig.dial();
    await manager.until(() => manager.of('hello').length === 1);
    manager.send({ t: 'new-epoch', reason: 'the disk was cloned' });
    manager.send({ t: 'resume', cursors: [] });
    await manager.until(() => manager.lines().length === 31);
    const second = epoch();
    expect(second).not.toBe(old);
    manager.send({ t: 'new-epoch', reason: 'again' });
    await manager.until(() => manager.lines().length === 31 + 32);
    expect(manager.lines().slice(31, 61)).toEqual(manager.lines().slice(0, 30));
  });
});

describe('state', () => {
  test('all of it first, then each change, every message of the agreed form', async () => {
    const manager = await open();
    await manager.until(() => manager.of('instances').length === 1);
    expect(manager.of('instances')[0]!.list.length).toBe(2);
    rig.hypervisor.map.get(ID)!.state = 'paused';
    rig.hypervisor.tell({ t: 'instance', id: ID });
    rig.hypervisor.tell({ t: 'instance', id: 'gone meanwhile' });
    rig.hypervisor.tell({ t: 'gone', id: ID });
    const load = { tsMs: 5, cpuRatio: 0.5, load1: 1, memoryUsedBytes: 7 };
    rig.hypervisor.tell({ t: 'samples', tsMs: 5, list: [{ id: ID, cpuRatio: 1, memoryUsedBytes: 3 }], load });
    await manager.until(() => manager.of('samples').length === 1 && manager.of('host').length >= 2);
    expect(manager.of('instance').map(({ instance }) => [instance.id, instance.state])).toEqual([[ID, 'paused']]);
    expect(manager.of('instance-gone')).toEqual([{ t: 'instance-gone', id: ID }]);
    for (const message of manager.messages) expect(agentMessageSchema.safeParse(message).error).toBeUndefined();
  });

  test('before the first list of libvirt nobody is told that there are no instances', async () => {
    rig.hypervisor.setListed(false);
    const manager = await open();
    await manager.until(() => manager.of('host').length === 1);
    manager.send({ t: 'ping', id: 1 });
    await manager.until(() => manager.of('pong').length === 1);
    expect(manager.of('instances')).toEqual([]);
    rig.hypervisor.setListed(true);
    rig.hypervisor.tell({ t: 'relisted' });
    await manager.until(() => manager.of('instances').length === 1);
  });
});

describe('commands', () => {
  test('an outcome is told until it is acked, over as many links as it takes', async () => {
    const first = await open();
    first.send(command('op-00000001'));
    await first.until(() => first.of('job').length === 1);
    rig.commands.end('op-00000001');
    await first.until(() => first.of('job').some(({ job }) => job.final));
    first.cut();
    await first.until(first.isClosed);
    const second = await open();
    await second.until(() => second.of('job').length === 1);
    expect(second.of('job')[0]!.job).toMatchObject({ opId: 'op-00000001', state: 'done', final: true });
    second.send({ t: 'job-ack', opId: 'op-00000001' });
    second.send({ t: 'cancel', opId: 'op-00000002' });
    second.send({ t: 'ping', id: 9 });
    await second.until(() => second.of('pong').length === 1);
    expect([...rig.commands.ackedIds]).toEqual(['op-00000001']);
    expect(rig.commands.cancelled).toEqual(['op-00000002']);
  });

  test('a command that is not taken is answered with its reason', async () => {
    rig.commands.refuse(new WebvirtError('journal-full'));
    const manager = await open();
    manager.send(command('op-00000003'));
    await manager.until(() => manager.of('job').length === 1);
    expect(manager.of('job')[0]!.job).toMatchObject({ state: 'failed', final: true, error: { code: 'journal-full' } });
  });
});

describe('who is let in', () => {
  test('a second link is greeted and turned away while the first one answers', async () => {
    const first = await open();
    await first.until(() => first.of('instances').length === 1);
    const second = await open();
    second.send(command('op-00000004'));
    await second.until(second.isClosed);
    expect(second.of('hello').length).toBe(1);
    expect(second.of('job')).toEqual([]);
    expect(rig.commands.unacked()).toEqual([]);
    first.send({ t: 'ping', id: 1 });
    await first.until(() => first.of('pong').length === 1);
  });

  test('it is let in when the first one is closed, or does not answer any more', async () => {
    const first = await open();
    await first.until(() => first.of('instances').length === 1);
    // A half-open connection: nothing is read, nothing is answered.
    first.socket.pause();
    const second = await open();
    second.send(command('op-00000005'));
    await second.until(() => second.of('job').length === 1);
    expect(rig.links.state().connected).toBe(true);
    second.cut();
    await second.until(second.isClosed);
    const third = await open();
    await third.until(() => third.of('instances').length === 1);
    first.socket.terminate();
  });

  test.each([
    ['not JSON', 'hello'],
    ['not a message', '{"t":"nonsense"}'],
    ['a command by name', JSON.stringify({ ...command('op-00000006'), command: { instance: 'vm1' } })],
    ['too long', ' '.repeat(1_100_000)],
    ['binary', Buffer.from('{"t":"ping","id":1}')],
  ])('a message that is %s ends the link', async (_what, message) => {
    const manager = await open();
    await manager.until(() => manager.of('instances').length === 1);
    manager.socket.send(message);
    await manager.until(manager.isClosed);
    expect(rig.commands.unacked()).toEqual([]);
    expect(managerMessageSchema.safeParse(message).success).toBe(false);
  });
});

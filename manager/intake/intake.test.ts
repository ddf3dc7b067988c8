import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeFrame, FakeSpool } from '../../test/support/fake-spool.ts';
import { A, ack, createRig, line, type Rig } from '../../test/support/intake-rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.end());

describe('intake', () => {
  it('acks what is committed, and tells the live road after that', async () => {
    const spool = new FakeSpool();
    const frames = [spool.add([line('1'), line('2')]), spool.add([line('3')])];
    expect(await rig.accept(...frames)).toEqual(ack(spool));
    expect(await rig.messages()).toEqual(['1', '2', '3']);
    expect(rig.live.map((batch) => [batch.first, batch.count, batch.ordinal])).toEqual([
      [0, 2, 1],
      [2, 1, 3],
    ]);
    expect((await rig.stored())[0]).toMatchObject({ agent: A.agent, hostName: 'alpha', receivedMs: rig.nowMs });
  });

  it('gathers what comes during a commit into the next one', async () => {
    const spool = new FakeSpool();
    const frames = Array.from({ length: 50 }, (_, i) => spool.add([line(String(i))]));
    const answers = await Promise.all(frames.map((frame) => rig.accept(frame)));
    expect(answers.at(-1)).toEqual(ack(spool));
    expect(rig.intake.counters.commits).toBeLessThanOrEqual(3);
    expect(await rig.messages()).toEqual(frames.map((_, i) => String(i)));
  });

  it('cuts replays, acks them again, and alarms when their bytes are others', async () => {
    const spool = new FakeSpool();
    const frames = [spool.add([line('1')]), spool.add([line('2')])];
    await rig.accept(...frames);
    expect(await rig.accept(frames[0]!)).toEqual(ack(spool));
    expect(await rig.accept(...frames, spool.add([line('3')]))).toEqual(ack(spool));
    expect(await rig.messages()).toEqual(['1', '2', '3']);
    expect(rig.alarms).toEqual([]);
    const forged = new FakeSpool();
    forged.epoch = spool.epoch;
    expect(await rig.accept(forged.add([line('other')]))).toEqual(ack(spool));
    expect(rig.alarmed()).toEqual(['An agent sent other lines under numbers that are stored']);
    expect(rig.alarms[0]?.fields).toMatchObject({ source: 'audit', agent: A.agent, first: 0, count: 1 });
    expect(await rig.messages()).toEqual(['1', '2', '3']);
  });

  it('takes the new part of a frame that overlaps', async () => {
    const spool = new FakeSpool();
    await rig.accept(spool.add([line('1'), line('2')]));
    const cut = new FakeSpool();
    cut.epoch = spool.epoch;
    const overlapping = cut.add([line('1'), { ...line('2'), unit: 'u' }, { ...line('3'), unit: 'v' }]);
    expect(await rig.accept(overlapping)).toEqual(ack(cut));
    expect((await rig.stored()).map((l) => [l.message, l.unit])).toEqual([
      ['1', undefined],
      ['2', undefined],
      ['3', 'v'],
    ]);
    expect(rig.alarmed()).toEqual(['An agent sent a frame that overlaps what is stored']);
  });

  it.each<[string, (spool: FakeSpool) => FakeFrame]>([
    ['no JSON', (spool) => spool.addBody(Buffer.from('{"n":2'), 2)],
    ['other JSON', (spool) => spool.addBody(Buffer.from('[2]'), 2)],
    ['another count', (spool) => ({ ...spool.add([line('x'), line('y')]), body: Buffer.from('{}') })],
    [
      'a wrong hash',
      (spool) => {
        const frame = spool.add([line('x'), line('y')]);
        return { header: frame.header, body: Buffer.from(frame.body.toString().replace('x', 'z')) };
      },
    ],
    ['an unknown level', (spool) => spool.add([line('x'), { ...line('y'), level: 'loud' as 'info' }])],
    [
      'fields that are no object',
      (spool) => {
        const { body } = new FakeSpool().add([{ ...line('x'), fields: { a: 1 } }, line('y')]);
        return spool.addBody(Buffer.from(body.toString().replace('{\\"a\\":1}', '{broken')), 2);
      },
    ],
    [
      'a pointer outside its dictionary',
      (spool) => {
        const { body } = new FakeSpool().add([{ ...line('x'), unit: 'u' }, line('y')]);
        return spool.addBody(Buffer.from(body.toString().replace('"index":[0,-1]', '"index":[0,7]')), 2);
      },
    ],
  ])('refuses %s, moves no cursor, and declares it as a gap when it stays so', async (_, make) => {
    const spool = new FakeSpool();
    await rig.accept(spool.add([line('before')]));
    const before = { next: spool.next, hash: spool.hash };
    const bad = make(spool);
    const good = spool.add([line('after')]);
    for (let time = 0; time < 2; time += 1) {
      expect((await rig.accept(bad, good)).map((answer) => answer.t)).toEqual(['nack']);
      expect((await rig.store.lines.cursors(A.agent))[0]).toMatchObject(before);
      // What was on its way when the agent was sent back is not mistaken for a hole.
      expect(await rig.accept(good)).toEqual([]);
      rig.nowMs += 1_000;
    }
    expect(await rig.accept(bad, good)).toEqual(ack(spool));
    const [, gap, after] = await rig.stored();
    expect(gap?.fields).toMatchObject({ gap: { from: 1, to: 2 } });
    expect(gap?.message).toMatch(/^2 log lines are missing: the manager could not take them: /);
    expect(after?.message).toBe('after');
    expect(rig.alarmed()).toEqual(['An agent sent a frame that cannot be taken']);
    expect(rig.intake.counters).toMatchObject({ refused: 3, quarantined: 1 });
  });

  it('stores a gap of the agent as one line', async () => {
    const spool = new FakeSpool();
    await rig.accept(spool.add([line('1')]), spool.addGap(500, 'spool full'), spool.add([line('2')]));
    expect((await rig.stored()).map((l) => [l.id.split('.')[2], l.message])).toEqual([
      ['0', '1'],
      ['1', '500 log lines are missing: spool full'],
      ['501', '2'],
    ]);
  });

  it('sends an agent back when numbers are missing, and declares them when they never come', async () => {
    const spool = new FakeSpool();
    const [first, , third] = [spool.add([line('1')]), spool.add([line('2')]), spool.add([line('3')])];
    await rig.accept(first!);
    for (let time = 0; time < 2; time += 1) {
      expect((await rig.accept(third!))[0]).toMatchObject({ t: 'nack', reason: 'numbers are missing' });
      rig.nowMs += 1_000;
    }
    expect(await rig.accept(third!)).toEqual(ack(spool));
    expect(await rig.messages()).toEqual(['1', '1 log lines are missing: the agent never sent them', '3']);
  });

  it('answers an agent that was sent back also when the clock was set back', async () => {
    const spool = new FakeSpool();
    const [first, , third] = [spool.add([line('1')]), spool.add([line('2')]), spool.add([line('3')])];
    await rig.accept(first!);
    expect(await rig.accept(third!)).toMatchObject([{ t: 'nack' }]);
    rig.nowMs -= 3_600_000;
    expect(await rig.accept(third!)).toMatchObject([{ t: 'nack' }]);
  });

  it('makes an agent begin a new epoch when its chain does not go on, and hears it if it cannot', async () => {
    const spool = new FakeSpool();
    await rig.accept(spool.add([line('1')]));
    const other = new FakeSpool();
    other.epoch = spool.epoch;
    other.add([line('one')]);
    const forked = other.add([line('two')]);
    for (let time = 0; time < 2; time += 1) {
      expect((await rig.accept(forked)).map((answer) => answer.t)).toEqual(['new-epoch']);
      rig.nowMs += 1_000;
    }
    expect(await rig.accept(forked)).toEqual(ack(other));
    expect(await rig.messages()).toEqual(['1', 'two']);
  });

  it('says no while the store cannot take lines, keeps nothing, and goes on by itself', async () => {
    const spool = new FakeSpool();
    const frames = [spool.add([line('1')]), spool.add([line('2')])];
    rig.broken = true;
    const nack = { t: 'nack', epoch: spool.epoch, reason: 'store-unavailable', retryMs: 20 };
    expect(await Promise.all([rig.accept(frames[0]!), rig.accept(frames[1]!)])).toEqual([[nack], [nack]]);
    expect(rig.live).toEqual([]);
    rig.broken = false;
    rig.nowMs += 1_000;
    expect(await rig.accept(...frames)).toEqual(ack(spool));
    expect(await rig.messages()).toEqual(['1', '2']);
    expect(rig.alarmed()).toEqual(['Lines cannot be stored now', 'Lines are stored again']);
  });

  it('holds back a sender that outruns the store instead of filling the memory', async () => {
    rig.start({ limitQueuedBytes: 10_000 });
    const spool = new FakeSpool();
    const frames = Array.from({ length: 10 }, () => spool.add([line('x'.repeat(5_000))]));
    const answers = (await Promise.all(frames.map((frame) => rig.accept(frame)))).flat();
    expect(answers.filter((answer) => answer.t === 'nack' && answer.reason === 'the store is behind')).not.toEqual([]);
    rig.nowMs += 1_000;
    const [cursor] = await rig.store.lines.cursors(A.agent);
    expect(await rig.accept(...frames.filter((frame) => frame.header.first >= cursor!.next))).toEqual(ack(spool));
    expect(await rig.messages()).toHaveLength(10);
  });

  it('stores the lines of the manager itself, the last ones at the stop, and counts what it had to drop', async () => {
    rig.broken = true;
    for (let i = 0; i < 30_000; i += 1) rig.intake.lineSink.add({ ...line(`own ${i}`), source: 'manager' });
    await new Promise((resolve) => setImmediate(resolve));
    rig.broken = false;
    rig.intake.lineSink.add({ ...line('last'), source: 'manager' });
    await rig.intake.stop();
    const { lines } = await rig.store.lines.since({ q: 'agent:manager' }, 0, 100_000);
    const numbers = lines.map((l) => Number(l.id.split('.')[2]));
    const [gap] = lines.filter((l) => l.fields?.['gap'] !== undefined);
    const { from, to } = gap!.fields!['gap'] as { from: number; to: number };
    expect(lines.at(-1)?.message).toBe('last');
    expect(from).toBe(numbers[0]);
    expect(numbers).toEqual([from, ...Array.from({ length: 30_000 - to }, (_, i) => to + 1 + i)]);
    expect(lines.every((l) => l.host === '' && l.agent === 'manager')).toBe(true);
  });

  it('asks again for the place of a sender after the store could not tell it', async () => {
    const spool = new FakeSpool();
    const frame = spool.add([line('1')]);
    rig.deaf = true;
    expect(await rig.accept(frame)).toMatchObject([{ t: 'nack' }]);
    rig.deaf = false;
    expect(await rig.accept(frame)).toEqual(ack(spool));
  });

  it('stores its own lines once, and goes on, when a commit failed that is on the disk', async () => {
    const own = (message: string) => rig.intake.lineSink.add({ ...line(message), source: 'manager' });
    const stored = async () => (await rig.store.lines.since({ q: 'agent:manager' }, 0, 100)).lines;
    rig.unsure = true;
    own('before');
    while (!rig.alarmed().includes('Lines cannot be stored now')) await new Promise(setImmediate);
    rig.unsure = false;
    own('after');
    while ((await stored()).length < 2) await new Promise(setImmediate);
    expect((await stored()).map((found) => found.message)).toEqual(['before', 'after']);
    const spool = new FakeSpool();
    expect(await rig.accept(spool.add([line('1')]))).toEqual(ack(spool));
  });

  it('bounds its own lines also when few come while the store is away for long', async () => {
    rig.broken = true;
    for (let i = 0; i < 25; i += 1) {
      const tries = rig.intake.counters.storeErrors;
      rig.intake.lineSink.add({ ...line(`own ${i}`), source: 'manager' });
      while (rig.intake.counters.storeErrors === tries) await new Promise(setImmediate);
    }
    rig.broken = false;
    const before = rig.intake.counters.batches;
    await rig.intake.stop();
    // The first one, and all the others as one batch.
    expect(rig.intake.counters.batches - before).toBe(2);
    expect((await rig.store.lines.since({ q: 'agent:manager' }, 0, 100)).lines).toHaveLength(25);
  });
});

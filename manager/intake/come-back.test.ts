import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeSpool } from '../../test/support/fake-spool.ts';
import { A, ack, createRig, line, type Rig } from '../../test/support/intake-rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.end());

describe('an agent that comes back (L15)', () => {
  it('goes on where the store is', async () => {
    const spool = new FakeSpool();
    expect(await rig.intake.hello(A, [spool.range()])).toEqual({ cursors: [], newEpoch: null });
    await rig.accept(spool.add([line('1')]));
    const { epoch, next, hash } = spool;
    spool.add([line('2')]);
    expect(await rig.intake.hello(A, [spool.range()])).toEqual({ cursors: [{ epoch, next, hash }], newEpoch: null });
  });

  it('without its spool: what it had announced and never sent becomes a gap, also over a restart of the manager', async () => {
    const old = new FakeSpool();
    old.add([line('1'), line('2')]);
    for (let i = 0; i < 8; i += 1) old.add([line('lost')]);
    await rig.intake.hello(A, [old.range()]);
    await rig.accept(old.frames[0]!);
    await rig.intake.stop();
    rig.start();
    const fresh = new FakeSpool();
    fresh.add([line('new')]);
    expect(await rig.intake.hello(A, [fresh.range()])).toEqual({ cursors: [], newEpoch: null });
    await rig.accept(fresh.frames[0]!);
    const [, , gap, last] = await rig.stored();
    expect(gap?.fields).toEqual({
      gap: { from: 2, to: 9, bytes: 0, reason: 'the agent came back without them (new disk or installed again)' },
    });
    expect([gap?.id, last?.message]).toEqual([`${A.agent}.${old.epoch}.2`, 'new']);
    await rig.intake.hello(A, [fresh.range()]);
    expect(await rig.stored()).toHaveLength(4);
  });

  it('restored from a snapshot: its numbers went back, so it must begin a new epoch', async () => {
    const spool = new FakeSpool();
    const first = spool.add([line('1')]);
    const snapshot = { ...spool.range(), next: 1 };
    await rig.accept(first, spool.add([line('2')]));
    const answer = await rig.intake.hello(A, [snapshot]);
    expect(answer.newEpoch).toMatch(/numbers went back/);
    expect(rig.alarmed()).toEqual(['The numbers of an agent went back; it must begin a new epoch']);
    // What it carried into the new epoch is not declared as lost.
    spool.newEpoch();
    await rig.intake.hello(A, [spool.range()]);
    expect(await rig.messages()).toEqual(['1', '2']);
  });

  it('to a store that was set back: what it no longer has is declared, the rest is sent again', async () => {
    const spool = new FakeSpool();
    for (let i = 0; i < 5; i += 1) spool.add([line(String(i))]);
    spool.acked(spool.epoch, 3);
    await rig.intake.hello(A, [spool.range()]);
    expect(await rig.accept(...spool.frames)).toEqual(ack(spool));
    expect(await rig.messages()).toEqual(['3 log lines are missing: the agent no longer had them', '3', '4']);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeFrame, FakeSpool } from '../../test/support/fake-spool.ts';
import { createRig, line, type Rig } from '../../test/support/intake-rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.end());

let seed = 7;
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};

/** Frames as a bad road brings them: doubled, left out, in another order, old ones again. */
function disturbed(frames: FakeFrame[], all: FakeFrame[]): FakeFrame[] {
  const out = frames.flatMap((frame) => (random(6) === 0 ? [] : random(5) === 0 ? [frame, frame] : [frame]));
  if (random(3) === 0) out.splice(random(out.length + 1), 0, all[random(all.length)]!);
  if (random(4) === 0 && out.length > 1) {
    const at = random(out.length - 1);
    [out[at], out[at + 1]] = [out[at + 1]!, out[at]!];
  }
  return out;
}

describe('any schedule of batches (L14)', () => {
  it('stores every number once, in order, and acks only what is stored', async () => {
    let schedules = 0;
    for (let round = 0; round < 60; round += 1) {
      const spool = new FakeSpool();
      const all: FakeFrame[] = [];
      const expected: string[] = [];
      for (let i = 0; i < 1 + random(12); i += 1) {
        const texts = Array.from({ length: 1 + random(4) }, (_, k) => `${round}.${i}.${k}`);
        if (random(8) === 0) all.push(spool.addGap(texts.length, 'cap'));
        else all.push(spool.add(texts.map(line)));
        expected.push(
          ...(all.at(-1)!.header.gap === undefined ? texts : [`${texts.length} log lines are missing: cap`]),
        );
      }
      let acked = 0;
      // Each try is a connection: from the cursor on, disturbed, several messages at once, the store failing at times.
      for (let tries = 0; acked < spool.next; tries += 1) {
        const rest = all.filter((frame) => frame.header.first >= acked);
        const sent = tries > 30 ? rest : disturbed(rest, all);
        const messages: FakeFrame[][] = [];
        while (sent.length > 0) messages.push(sent.splice(0, 1 + random(3)));
        rig.broken = tries <= 30 && random(7) === 0;
        const answers = (await Promise.all(messages.map((frames) => rig.accept(...frames)))).flat();
        rig.broken = false;
        schedules += messages.length;
        const [cursor] = (await rig.store.lines.cursors('a'.repeat(32))).filter((c) => c.epoch === spool.epoch);
        for (const answer of answers) {
          if (answer.t !== 'ack') continue;
          expect(answer.next).toBeLessThanOrEqual(cursor?.next ?? 0);
          acked = Math.max(acked, answer.next);
        }
        // Two refusals for one hole are the most that a disturbed road may bring: the third would declare it.
        rig.nowMs += 1_000;
        await rig.intake.hello({ agent: 'a'.repeat(32), hostId: 'a'.repeat(32), hostName: 'alpha' }, [spool.range()]);
        acked = Math.max(
          acked,
          (await rig.store.lines.cursors('a'.repeat(32))).find((c) => c.epoch === spool.epoch)?.next ?? 0,
        );
      }
      const { lines } = await rig.store.lines.since({ q: 'agent:aa*' }, 0, 100_000);
      const mine = lines.filter((found) => found.id.includes(spool.epoch));
      expect(mine.map((found) => found.message)).toEqual(expected);
      expect((await rig.store.lines.cursors('a'.repeat(32))).find((c) => c.epoch === spool.epoch)).toEqual({
        epoch: spool.epoch,
        next: spool.next,
        hash: spool.hash,
      });
    }
    expect(schedules).toBeGreaterThan(300);
    expect(rig.alarmed().filter((text) => /other lines|do not go on|overlaps|cannot be taken/.test(text))).toEqual([]);
  });
});

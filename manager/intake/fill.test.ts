import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebvirtError } from '../../common/errors.ts';
import { type FakeFrame, FakeSpool } from '../../test/support/fake-spool.ts';
import { A, createRig, line, type Rig } from '../../test/support/intake-rig.ts';
import { createBus } from '../bus/bus.ts';
import type { CommittedBatch } from '../store/ports.ts';
import { createFills, type Fills } from './fill.ts';

let rig: Rig;
let fills: Fills;
let had: FakeFrame[];
let asked: Record<string, unknown>[];
let told: CommittedBatch[];
/** What goes wrong with the question. */
let trouble: (() => never) | null;

beforeEach(async () => {
  rig = await createRig();
  [had, asked, told, trouble] = [[], [], [], null];
  const bus = createBus((error) => {
    throw error;
  });
  bus.on('lines', ({ batches }) => told.push(...batches));
  const say = () => undefined;
  fills = createFills({
    ...{ lines: rig.store.lines, bus, log: { info: say, warn: say, error: say } },
    ...{ nowMs: () => rig.nowMs, clockOffsetMs: () => 0 },
    async ask(_host, _what, args) {
      asked.push(args);
      trouble?.();
      const { from, to, epoch } = args as { from: number; to: number; epoch: string };
      // Two frames an answer: the rest is asked for again.
      const found = had.filter(
        ({ header }) => header.epoch === epoch && header.first <= to && header.first + header.count > from,
      );
      return {
        frames: found.slice(0, 2).map(({ header, body }) => ({ header, body: body.toString('base64') })),
      };
    },
  });
});
afterEach(() => rig.end());

/** Ten frames of two lines; those from `lost` on, three of them, are stored as one gap. */
async function withGap(lost = 3) {
  const spool = new FakeSpool();
  had = Array.from({ length: 10 }, (_, i) => spool.add([line(`${2 * i}`), line(`${2 * i + 1}`)]));
  const part = had.slice(lost, lost + 3);
  const gap = { from: lost * 2, to: lost * 2 + 5, reason: 'spool-full', bytes: 60 };
  const first = part[0]!.header;
  const header = { ...first, count: 6, hash: part[2]!.header.hash, bytes: 0, gap };
  await rig.accept(...had.slice(0, lost), { header, body: Buffer.alloc(0) }, ...had.slice(lost + 3));
  const { epoch } = spool;
  const entry = async () => (await rig.store.lines.ledger(A.agent)).find((one) => one.epoch === epoch);
  expect(await entry()).toMatchObject({ next: 20, lines: 14, lost: 6 });
  return { epoch, entry };
}
const messages = async () => (await rig.messages()).filter((text) => !text.includes('missing')).map(Number);

describe('a gap that is filled from the spool', () => {
  it('has its lines again, each once, and the ledger says so', async () => {
    const { epoch, entry } = await withGap();
    expect(await fills.fill(A.agent, epoch, {})).toEqual({ filled: 6, stillMissing: 0, reason: null });
    expect(asked).toHaveLength(2);
    expect((await messages()).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(await entry()).toMatchObject({ next: 20, lines: 20, lost: 0, gaps: [{ filled: 6 }] });
    expect(told.flatMap((batch) => batch.columns?.message)).toEqual(['6', '7', '8', '9', '10', '11']);
    // Again, and twice at once: nothing is missing any more.
    const again = await Promise.all([fills.fill(A.agent, epoch, {}), fills.fill(A.agent, epoch, {})]);
    expect(again).toEqual(Array(2).fill({ filled: 0, stillMissing: 0, reason: null }));
    expect(await messages()).toHaveLength(20);
  });

  it('by several at once: each number once all the same', async () => {
    const { epoch } = await withGap();
    const all = await Promise.all([{}, { from: 8 }, { to: 9 }].map((range) => fills.fill(A.agent, epoch, range)));
    expect(all.reduce((sum, { filled }) => sum + filled, 0)).toBe(6);
    expect(await messages()).toHaveLength(20);
  });

  it('in part, when the agent has no more', async () => {
    const { epoch, entry } = await withGap();
    had = had.filter(({ header }) => header.first !== 8);
    const reason = 'The agent has no more of them.';
    expect(await fills.fill(A.agent, epoch, {})).toEqual({ filled: 4, stillMissing: 2, reason });
    expect(await entry()).toMatchObject({ lines: 18, lost: 2, gaps: [{ filled: 4 }] });
    had = [];
    expect(await fills.fill(A.agent, epoch, {})).toEqual({
      ...{ filled: 0, stillMissing: 2, reason: 'The agent does not have them any more.' },
    });
  });

  it('at the very front of an epoch', async () => {
    const { epoch } = await withGap(0);
    expect(await fills.fill(A.agent, epoch, {})).toMatchObject({ filled: 6, stillMissing: 0 });
  });

  it('not with lines that are not those that were lost', async () => {
    const { epoch, entry } = await withGap();
    const other = new FakeSpool();
    other.epoch = epoch;
    const forged = Array.from({ length: 10 }, (_, i) => other.add([line(`other ${i}`), line('x')]));
    had = forged;
    const refused = await fills.fill(A.agent, epoch, {});
    expect(refused).toMatchObject({
      filled: 0,
      stillMissing: 6,
      reason: expect.stringMatching(/does not belong there/),
    });
    expect(await entry()).toMatchObject({ lines: 14, lost: 6 });
  });

  it('not when its bytes were altered on the way', async () => {
    const { epoch } = await withGap();
    had = had.map(({ header, body }) => ({ header, body: Buffer.from(body.toString().replace('"6"', '"9"')) }));
    expect(await fills.fill(A.agent, epoch, {})).toMatchObject({ filled: 0, stillMissing: 6 });
  });

  it('not while the agent is away, which is told', async () => {
    const { epoch } = await withGap();
    trouble = () => {
      throw new WebvirtError('host-unreachable', 'The host does not answer now. Try again when it is online.');
    };
    expect(await fills.fill(A.agent, epoch, {})).toEqual({
      ...{ filled: 0, stillMissing: 6, reason: 'The host does not answer now. Try again when it is online.' },
    });
    await expect(fills.fill(A.agent, 'f'.repeat(16), {})).rejects.toMatchObject({ code: 'not-found' });
  });
});

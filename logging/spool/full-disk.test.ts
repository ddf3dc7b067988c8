import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../test/support/small-disk.ts';
import { buildStorm, runStorm } from '../../test/support/storm.ts';
import { createLedger, type Ledger } from '../../test/support/storm-ledger.ts';
import { createSpool, type Spool } from './spool.ts';

const dir = mkdtempSync(join(tmpdir(), 'webvirt-spool-full-'));
const disk = mountSmallDisk(join(dir, 'disk'), 16, 64);
let path = '';
let round = 0;
let program: string;
beforeAll(async () => {
  program = await buildStorm();
});
beforeEach(() => {
  round += 1;
  path = join(dir, 'disk', `${round}`, 'spool.sqlite');
});
afterEach(() => {
  disk?.free();
  for (const name of disk === null ? [] : readdirSync(join(dir, 'disk')))
    rmSync(join(dir, 'disk', name), { recursive: true });
});
afterAll(() => {
  disk?.unmount();
  rmSync(program, { force: true });
  rmSync(dir, { recursive: true });
});

const open = (ledger: Ledger, troubles: Error[] = []): Spool => {
  const onTrouble = (error: Error) => void troubles.push(error);
  const spool = createSpool({ path, capBytes: 64e6, batchMaxLines: 20, now: Date.now }, { onTrouble });
  spool.onSpooled((frames) => {
    for (const { header, body } of frames) {
      const messages = header.gap === undefined ? JSON.parse(Buffer.from(body).toString()).message : null;
      ledger.spool({ epoch: header.epoch, first: header.first, messages });
    }
  });
  return spool;
};

let written = 0;
function write(spool: Spool, count: number): void {
  for (let i = 0; i < count; i += 1, written += 1) {
    spool.append({ tsMs: 1, level: 'info', source: 'file', message: `0:${written}:${'x'.repeat(4_000)}` });
    if (i % 20 === 19) spool.flush();
  }
}

function drain(spool: Spool, ledger: Ledger): void {
  for (const { epoch } of spool.epochs())
    for (;;) {
      const at = ledger.cursors.get(epoch) ?? { epoch, next: 0, hash: '0'.repeat(32) };
      const frames = spool.read({ epoch, from: at.next, hash: at.hash }, 50_000);
      if (frames.length === 0) break;
      for (const { header, body } of frames) ledger.take(header, Buffer.from(body));
      const acked = ledger.cursors.get(epoch)!;
      expect(spool.acked(epoch, acked.next, acked.hash)).toBe('ok');
      spool.flush();
    }
}

/** Every number is a line or in a gap, none is both; the newest line is there. */
function holds(spool: Spool, ledger: Ledger): void {
  expect(ledger.check()).toEqual([]);
  const { epoch, next } = spool.epochs().at(-1)!;
  const lost = ledger.gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  expect([ledger.counts().stored + lost, epoch]).toEqual([next, ledger.gaps[0]?.epoch ?? epoch]);
  for (const { reason } of ledger.gaps) expect(reason).toMatch(/^(spool-full|disk-full)(, (spool-full|disk-full))?$/);
}

describe.skipIf(disk === null)('a disk of the agent that is full (L5)', () => {
  it('by others: the newest lines stay, what went is declared, and all is taken when there is space, twice', () => {
    const ledger = createLedger();
    const spool = open(ledger);
    for (let outage = 1; outage <= 2; outage += 1) {
      write(spool, 60);
      disk?.fill();
      write(spool, 700);
      const newest = written - 1;
      disk?.free();
      write(spool, 100);
      drain(spool, ledger);
      holds(spool, ledger);
      for (const line of [newest, written - 1]) expect(ledger.has(`0:${line}:`)).toBe(true);
      expect(spool.waiting().lines).toBe(0);
    }
    spool.close();
  });

  it('by its own lines: the oldest go, exactly declared, the newest stay, and it goes on by itself, twice', () => {
    const ledger = createLedger();
    const spool = open(ledger);
    for (let outage = 1; outage <= 2; outage += 1) {
      write(spool, 7_000);
      const newest = written - 1;
      const gaps = ledger.gaps.length;
      drain(spool, ledger);
      holds(spool, ledger);
      // One hole each time, and it did cost something.
      expect(ledger.gaps.length - gaps).toBe(1);
      expect(ledger.has(`0:${newest}:`)).toBe(true);
    }
    spool.close();
  });

  it('without a free inode: what is open goes on; what cannot be opened says so and loses nothing', () => {
    const ledger = createLedger();
    const spool = open(ledger);
    write(spool, 40);
    const taken: string[] = [];
    for (let left = true; left; ) {
      const name = join(dir, 'disk', `inode-${taken.length}`);
      try {
        closeSync(openSync(name, 'w'));
        taken.push(name);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
        left = false;
      }
    }
    const troubles: Error[] = [];
    write(spool, 40);
    spool.close();
    // A clean end has removed the log: its inode goes to somebody else.
    closeSync(openSync(join(dir, 'disk', 'last'), 'w'));
    expect(() => open(ledger, troubles)).toThrow(/unable to open|disk/);
    for (const name of taken) rmSync(name);
    const again = open(ledger, troubles);
    write(again, 20);
    drain(again, ledger);
    holds(again, ledger);
    expect([ledger.gaps, troubles, ledger.counts().stored]).toEqual([[], [], 100]);
    again.close();
  });

  it.each([
    ['A5', { epochEvery: '1500' }, 1],
    ['A9', {}, 3],
    ['A12', { capLines: '300' }, 2],
  ] as const)('and a kill at %s while it is: nothing else is lost', async (point, more, pass) => {
    const ledger = createLedger();
    let run = 0;
    const storm = (lines: number, extra: Record<string, string>, how: { acks: boolean; connected: boolean }) =>
      runStorm({ program, ledger, args: { path, run: String(run++), lines: String(lines), ...extra }, ...how });
    await storm(200, { fail: 'A7@2' }, { acks: false, connected: true });
    disk?.fill(200_000);
    const acks = point === 'A9';
    const how = { acks, connected: acks };
    expect(await storm(3_000, { ...more, fail: `${point}@${pass}` }, how)).toBe('SIGKILL');
    disk?.free();
    expect(await storm(100, {}, { acks: true, connected: true })).toBe('0');
    expect(ledger.check()).toEqual([]);
    for (const { reason } of ledger.gaps) expect(reason).toMatch(/^(spool-full|disk-full)/);
  });
});

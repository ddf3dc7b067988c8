// The row `disks` of `npm run soak`: rounds, lines, seed. Ends with 1 when a line was lost, doubled or altered.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failingIoMissing, type IoFault, underFailingIo } from './failing-io.ts';
import { mountSmallDisk } from './small-disk.ts';
import { buildStorm, runStorm } from './storm.ts';
import { createLedger } from './storm-ledger.ts';

const [rounds = '200', lines = '3000', seedText = '1'] = process.argv.slice(2);
let seed = Number(seedText);
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const faults: string[] = [];

/** L5: full and free by turns, killed at any point, one spool for all of it. */
async function fullDisks(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-disks-'));
  const disk = mountSmallDisk(join(dir, 'disk'), 20);
  if (disk === null) {
    console.log('  full disks: skipped, only root may mount one');
    return;
  }
  const program = await buildStorm();
  const ledger = createLedger();
  const path = join(dir, 'disk', 'spool.sqlite');
  const ends = new Map<string, number>();
  const cycles = Math.ceil(Number(rounds) / 4);
  try {
    for (let run = 0; run <= cycles; run += 1) {
      const isLast = run === cycles;
      // A program that has never had room cannot begin.
      if (!isLast && run > 0) disk.fill(random(2) * random(3_000_000));
      const isConnected = isLast || random(2) === 0;
      const fail: Record<string, string> = isLast ? {} : { fail: `A${1 + random(12)}@${1 + random(12)}` };
      const args = { path, run: String(run), lines: isLast ? '100' : lines, ...fail };
      // It cannot end before there is space again when it is to send all.
      const space = setTimeout(() => disk.free(), 2_000);
      const how = await runStorm({ program, ledger, args, acks: isConnected, connected: isConnected });
      clearTimeout(space);
      ends.set(how, (ends.get(how) ?? 0) + 1);
      disk.free();
    }
    faults.push(...ledger.check());
    for (const { from, to, reason } of ledger.gaps)
      if (!/^((spool|disk)-full(, )?)+$/.test(reason)) faults.push(`gap ${from}-${to}: ${reason}`);
    console.log(
      `  full disks: ${JSON.stringify({ ...ledger.counts(), gaps: ledger.gaps.length, ...Object.fromEntries(ends) })}`,
    );
  } finally {
    disk.unmount();
    rmSync(program, { force: true });
    rmSync(dir, { recursive: true });
  }
}

/** L7: SQLite's own loop: the first call fails, then every second, every third… */
async function failingCalls(): Promise<void> {
  const missing = failingIoMissing();
  if (missing !== null) {
    console.log(`  calls that fail: skipped, ${missing}`);
    return;
  }
  const every = Array.from({ length: Number(rounds) }, (_, i) => i + 1);
  const kinds: IoFault[] = ['EIO', 'short', 'ENOSPC', 'EIO at syncs'];
  for (const part of ['spool', 'lines', 'state'] as const) {
    const { outcomes, ended } = await underFailingIo(part, kinds, every);
    // SQLite tries an interrupted call again until it is not: at every call that is for ever.
    const interrupted = await underFailingIo(part, ['EINTR'], every.slice(1));
    const all = [...outcomes, ...interrupted.outcomes];
    if (ended !== '0' || interrupted.ended !== '0') faults.push(`${part}: ended with ${ended}, ${interrupted.ended}`);
    for (const { fault, every: n, faults: found } of all)
      faults.push(...found.map((one) => `${part}, ${fault} at every ${n}: ${one}`));
    const failed = all.reduce((sum, outcome) => sum + outcome.failed, 0);
    console.log(`  calls that fail, ${part}: ${all.length} disks, ${failed} calls failed`);
  }
}

await fullDisks();
await failingCalls();
for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;

// Rows of `npm run soak` about roads and floods: row, rounds, lines, seed. Ends with 1 when a line was lost or doubled.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LINKS_DEFAULTS } from '../../manager/links/ports.ts';
import { createLineCutter } from '../../node-agent/sources/tail/line-cutter.ts';
import { createIdentities } from './agent-identity.ts';
import { type FakeAgent, startFakeAgent } from './fake-agent.ts';
import type { Fault } from './faulty-road.ts';
import { startLineRoad } from './line-road.ts';
import { type Partition, type PartitionTimes, startPartition } from './partition.ts';

const [row = 'roads', rounds = '200', , seedText = '1'] = process.argv.slice(2);
let seed = Number(seedText);
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const faults: string[] = [];
const mb = () => Math.round(process.memoryUsage().rss / 1e6);

/** The times of the programs as they are shipped. */
const SHIPPED: PartitionTimes = {
  links: LINKS_DEFAULTS,
  agent: { silenceMs: 10_000, probeMs: 2_000, checkMs: 1_000 },
  writeEveryMs: 2,
};

async function backMs(one: Partition): Promise<number> {
  const startedMs = performance.now();
  await one.road.until(() => one.hostState() === 'online');
  // A line that is said now is stored: what waited before it as well.
  await one.drained();
  return Math.round(performance.now() - startedMs);
}

const CUTS: [string, Fault][] = [
  ['both ways', { held: 'both' }],
  ['from the agent', { held: 'up' }],
  ['to the agent', { held: 'down' }],
  ['1 byte/s', { bytesPerSecond: 1 }],
  ['20 kB/s', { bytesPerSecond: 20_000 }],
];

/** L10: each way of cutting for each time; then as many flaps as there are rounds, at random. */
async function roads(): Promise<void> {
  const one = await startPartition(SHIPPED);
  await backMs(one);
  let worstMs = 0;
  for (const forMs of [100, 1_000, 10_000, 60_000])
    for (const [name, fault] of CUTS) {
      one.net.set(fault);
      const startedMs = performance.now();
      let staleMs: number | null = null;
      while (performance.now() - startedMs < forMs) {
        await sleep(20);
        if (staleMs === null && one.hostState() === 'stale') staleMs = Math.round(performance.now() - startedMs);
      }
      one.net.set({});
      const back = await backMs(one);
      worstMs = Math.max(worstMs, back);
      console.log(
        `  ${name}, ${forMs / 1_000} s: stale after ${staleMs ?? '-'} ms, all stored ${back} ms after, ${mb()} MB`,
      );
      if (staleMs !== null && staleMs > 15_000) faults.push(`${name}: stale only after ${staleMs} ms`);
      if (forMs > 15_000 && staleMs === null && name !== '20 kB/s') faults.push(`${name}: never stale in ${forMs} ms`);
    }
  for (let round = 0; round < Number(rounds); round += 1) {
    const kind = random(CUTS.length + 3);
    if (kind < CUTS.length) one.net.set(CUTS[kind]![1]);
    else if (kind === CUTS.length) one.net.reset();
    else if (kind === CUTS.length + 1) one.net.halfOpen();
    else {
      // The old connection's bytes come after a new one is open.
      one.net.set({ held: 'both' });
      await sleep(random(300));
      one.net.set({}, 'new');
    }
    await sleep(random(400));
    one.net.set({});
    if (round % 5 === 0) worstMs = Math.max(worstMs, await backMs(one));
  }
  await backMs(one);
  faults.push(...(await one.faults()));
  console.log(
    `  ${rounds} flaps, ${one.written()} lines, ${one.net.opened()} connections, worst ${worstMs} ms, ${mb()} MB`,
  );
  await one.stop();
}

/** L12: a store whose commits take their time, for a minute each. */
async function slow(): Promise<void> {
  for (const delayMs of [10, 100, 500, 5_000]) {
    let delay = delayMs;
    const one = await startPartition({
      ...SHIPPED,
      lines: (store) => ({
        ...store,
        async append(batches) {
          await sleep(delay);
          return store.append(batches);
        },
      }),
    });
    const beforeMb = mb();
    await sleep(60_000);
    const during = {
      MB: mb() - beforeMb,
      waiting: one.agent.spool.waiting().lines,
      stored: one.road.intake.counters.lines,
    };
    delay = 0;
    const back = await backMs(one);
    const { nacks, replays } = one.road.intake.counters;
    console.log(
      `  ${delayMs} ms a commit: ${JSON.stringify({ ...during, nacks, replays, connections: one.net.opened(), back })}`,
    );
    if (one.net.opened() > 1) faults.push(`${delayMs} ms: the link was dialled ${one.net.opened()} times`);
    faults.push(...(await one.faults()).map((fault) => `${delayMs} ms: ${fault}`));
    await one.stop();
  }
}

/** L20: a million random texts, in random pieces; the lines are those of the whole, and none is over the cap. */
function fuzz(): void {
  const cut = (bytes: Buffer, capBytes: number, piece: () => number) => {
    const lines: string[] = [];
    const cutter = createLineCutter({ offset: 0, skipping: false }, { capBytes }, ({ text }) => lines.push(text));
    for (let at = 0; at < bytes.length; ) {
      const size = piece();
      cutter.take(bytes.subarray(at, at + size));
      at += size;
    }
    cutter.flush();
    return lines;
  };
  const alphabet = [0x0a, 0x0a, 0x0d, 0x00, 0x61, 0xc3, 0xa4, 0xf0, 0x9f, 0x98, 0x80, 0xff, 0x1b, 0xed, 0xa0];
  for (let input = 0; input < 1_000_000; input += 1) {
    const bytes = Buffer.from(
      Array.from({ length: random(90) }, () => (random(4) === 0 ? random(256) : alphabet[random(alphabet.length)]!)),
    );
    const cap = 4 + random(40);
    const whole = cut(bytes, cap, () => bytes.length || 1);
    const pieces = cut(bytes, cap, () => 1 + random(20));
    if (JSON.stringify(whole) !== JSON.stringify(pieces))
      faults.push(`other lines in pieces: ${bytes.toString('hex')}`);
    if (whole.some((text) => Buffer.byteLength(text) > 3 * cap + 30))
      faults.push(`over the cap: ${bytes.toString('hex')}`);
    if (input % 250_000 === 249_999) console.log(`  ${input + 1} texts, ${mb()} MB`);
  }
}

/** L19: how long a line of a quiet agent takes until it is acked, alone and beside one that floods. */
async function flood(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-flood-'));
  const identities = await createIdentities();
  const road = await startLineRoad({ dir, tls: identities.link });
  const line = (message: string) => ({ tsMs: Date.now(), level: 'info' as const, source: 'file' as const, message });
  const agents = await Promise.all(
    Array.from({ length: 11 }, async () => startFakeAgent({ identity: await identities.agent() })),
  );
  for (const { id, port } of agents) road.enrol(id, '127.0.0.1', port);
  await road.until(() => agents.every(({ id }) => road.links.connected(id)));
  const [flooder, ...quiet] = agents as [FakeAgent, ...FakeAgent[]];
  let said = 0;
  const measure = async (forMs: number) => {
    const tookMs: number[] = [];
    const untilMs = performance.now() + forMs;
    await Promise.all(
      quiet.map(async (one) => {
        for (let n = 0; performance.now() < untilMs; n += 1) {
          await sleep(50 + random(100));
          const startedMs = performance.now();
          one.log([line(`quiet ${n}`)]);
          said += 1;
          await one.acked();
          tookMs.push(performance.now() - startedMs);
        }
      }),
    );
    const sorted = tookMs.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)]! * 10) / 10;
    return { lines: sorted.length, p50: at(0.5), p99: at(0.99) };
  };
  await measure(3_000);
  const alone = await measure(20_000);
  let floodLines = 0;
  const timer = setInterval(() => {
    // What it says at 100,000 lines a second, as far as its window lets it: the rest waits in its own spool.
    if (flooder.spool.frames.length > 40) return;
    const messages = Array.from({ length: 2_000 }, (_, n) =>
      line(`flood ${floodLines + n} of a program that is beside itself`),
    );
    flooder.log(messages);
    floodLines += messages.length;
  }, 20);
  const beside = await measure(20_000);
  clearInterval(timer);
  await flooder.acked();
  const ratio = Math.round((beside.p99 / alone.p99) * 100) / 100;
  console.log(
    `  alone ${JSON.stringify(alone)}, beside ${floodLines} lines ${JSON.stringify(beside)}: p99 x ${ratio}, ${mb()} MB`,
  );
  const { lines, gaps } = road.intake.counters;
  if (lines < said + floodLines || gaps > 0)
    faults.push(`${said + floodLines} were said and ${lines} are stored, ${gaps} gaps`);
  await road.stop();
  for (const one of agents) await one.stop();
  rmSync(dir, { recursive: true, force: true });
}

if (row === 'roads') await roads();
else if (row === 'flood') await flood();
else if (row === 'slow') await slow();
else fuzz();
for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);

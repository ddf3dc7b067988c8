// Rows of `npm run soak` about roads: row, rounds, lines, seed. Ends with 1 when a line was lost or doubled.
import { setTimeout as sleep } from 'node:timers/promises';
import { LINKS_DEFAULTS } from '../../manager/links/ports.ts';
import { createLineCutter } from '../../node-agent/sources/tail/line-cutter.ts';
import type { Fault } from './faulty-road.ts';
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

/** L8: the store is away for a while, beside a stream of lines. Memory of manager and agent together; how fast it drains. */
async function away(): Promise<void> {
  let isAway = false;
  const one = await startPartition({
    ...SHIPPED,
    writeEveryMs: 1,
    lines: (store) => ({
      ...store,
      append: (batches) => (isAway ? Promise.reject(new Error('the store is away')) : store.append(batches)),
    }),
  });
  await sleep(15_000);
  isAway = true;
  const awayMs = 90_000;
  const seen: number[] = [];
  for (const untilMs = performance.now() + awayMs; performance.now() < untilMs; ) {
    await sleep(5_000);
    global.gc?.();
    seen.push(mb());
  }
  // What is needed to be away at all, buffers of what was on its way, is there after a while.
  const settled = seen.slice(4);
  const grownMb = settled.at(-1)! - settled[0]!;
  const waiting = one.agent.spool.waiting().lines;
  isAway = false;
  const startedMs = performance.now();
  const from = one.written();
  await one.drained();
  const seconds = (performance.now() - startedMs) / 1_000;
  const times = Math.round(awayMs / 1_000 / seconds);
  console.log(
    `  away for ${awayMs / 1_000} s: ${waiting} lines waited, MB ${seen.join(' ')}; drained in ${Math.round(seconds * 10) / 10} s ` +
      `beside ${one.written() - from} new ones (x ${times} of what came in)`,
  );
  if (Math.abs(grownMb) > 20) faults.push(`memory went from ${settled[0]} to ${settled.at(-1)} MB`);
  if (times < 3) faults.push(`it drains at ${times} times what comes in`);
  faults.push(...(await one.faults()));
  await one.stop();
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

if (row === 'roads') await roads();
else if (row === 'slow') await slow();
else if (row === 'away') await away();
else fuzz();
for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);

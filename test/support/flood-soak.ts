// The row `flood` of `npm run soak` (L19, S24): rounds. How long a line of a quiet agent takes until it is acked, alone
// and beside one that floods, in turns. The manager's road is this process; who asks and who floods are others, and the
// flood is kept to one processor, behind everybody else. Ends with 1 when a line was lost or the goal was missed.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createIdentities } from './agent-identity.ts';
import type { FloodAnswer, FloodOrder } from './flood-agents.ts';
import { startLineRoad } from './line-road.ts';

const [roundsText = '5'] = process.argv.slice(2);
const rounds = Math.min(20, Math.max(3, Number(roundsText)));
const ROUND_MS = 6_000;
const QUIET_AGENTS = 10;
const GOAL = 2;
/** What S24 asks for, for which the goal is; null: all that the manager takes, which is told beside it. */
const RATES = [100_000, null];

const AGENTS = fileURLToPath(new URL('flood-agents.ts', import.meta.url));
const canPin = spawnSync('taskset', ['--version']).status === 0 && availableParallelism() > 1;

function start(before: string[]): ChildProcess {
  const argv = [...before, process.execPath, '--import', 'tsx', AGENTS];
  return spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}
async function ask(child: ChildProcess, order: FloodOrder): Promise<FloodAnswer> {
  const told = once(child, 'message');
  child.send(order);
  return (await told)[0] as FloodAnswer;
}
const round1 = (n: number) => Math.round(n * 10) / 10;
const at = (all: number[], share: number) => all.toSorted((a, b) => a - b)[Math.floor(all.length * share)]!;

const dir = mkdtempSync(join(tmpdir(), 'webvirt-flood-'));
const identities = await createIdentities();
const road = await startLineRoad({ dir, tls: identities.link });
const quiet = start([]);
const flooder = start(canPin ? ['nice', '-n', '15', 'taskset', '-c', String(availableParallelism() - 1)] : []);
for (const [child, count] of [
  [quiet, QUIET_AGENTS],
  [flooder, 1],
] as const) {
  const all = await Promise.all(Array.from({ length: count }, () => identities.agent()));
  const { ports } = await ask(child, { ask: 'start', identities: all });
  for (const [i, { id }] of all.entries()) road.enrol(id, '127.0.0.1', ports![i]!);
  await road.until(() => all.every(({ id }) => road.links.connected(id)));
}

const faults: string[] = [];
let said = 0;
let flooded = 0;
async function measure(): Promise<number[]> {
  const answer = await ask(quiet, { ask: 'measure', forMs: ROUND_MS });
  said = answer.said;
  return answer.tookMs!;
}
await measure();
for (const linesPerSecond of RATES) {
  const ratios: number[] = [];
  const together = { alone: [] as number[], beside: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const alone = await measure();
    const before = { lines: road.intake.counters.lines, cpu: process.cpuUsage(), ms: performance.now() };
    await ask(flooder, { ask: 'flood', linesPerSecond });
    const beside = await measure();
    const seconds = (performance.now() - before.ms) / 1_000;
    const cpu = process.cpuUsage(before.cpu);
    const taken = Math.round((road.intake.counters.lines - before.lines) / seconds / 1_000);
    flooded = (await ask(flooder, { ask: 'quiet' })).said;
    ratios.push(at(beside, 0.99) / at(alone, 0.99));
    together.alone.push(...alone);
    together.beside.push(...beside);
    const of = (all: number[]) =>
      `p50 ${round1(at(all, 0.5))} p99 ${round1(at(all, 0.99))} most ${round1(at(all, 1 - 1e-9))}`;
    const cores = round1((cpu.user + cpu.system) / 1e6 / seconds);
    console.log(
      `  alone ${of(alone)} ms, beside ${taken},000 lines/s ${of(beside)} ms: p99 x ${round1(ratios.at(-1)!)} (${cores} cores)`,
    );
  }
  const middle = at(ratios, 0.5);
  const all = at(together.beside, 0.99) / at(together.alone, 0.99);
  const what = linesPerSecond === null ? 'all that it takes' : `${linesPerSecond} lines/s`;
  console.log(
    `  flood of ${what}: p99 x ${round1(middle)} in the middle of ${rounds}, x ${round1(all)} of all together`,
  );
  if (middle >= GOAL && linesPerSecond !== null)
    faults.push(`${what}: p99 x ${round1(middle)}, and the goal is below ${GOAL}`);
}
const { lines, gaps } = road.intake.counters;
if (lines < said + flooded || gaps > 0)
  faults.push(`${said + flooded} were said and ${lines} are stored, ${gaps} gaps`);
await road.stop();
for (const child of [quiet, flooder]) child.disconnect();
rmSync(dir, { recursive: true, force: true });
for (const fault of faults) console.log(`  ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);

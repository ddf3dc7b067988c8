// One row of `npm run soak`: row, rounds, lines of a round, seed.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAILPOINTS } from '../../logging/failpoint.ts';
import { buildLogstorm, runLogstorm, type StormRound } from './logstorm-run.ts';
import { setBackLines, setBackSpool, setBackState } from './older-files.ts';

const [row = 'kills', rounds = '200', lines = '3000', seedText = '1'] = process.argv.slice(2);
let seed = Number(seedText);
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};

/** A5 is passed at new epochs and A12 at a full spool only: they have storms of their own. */
const AGENT_POINTS = FAILPOINTS.filter((point) => point !== 'A5' && point !== 'A12');
const MANAGER_POINTS = ['M1', 'M2', 'M3', 'M4', 'M5'];

function roundOf(): StormRound {
  // Both, and again while they recover: it is set back to the first versions every tenth round.
  if (row === 'upgrade') return { agent: `A${1 + random(11)}@${1 + random(6)}`, manager: MANAGER[random(2)]!() };
  const agent = `${AGENT_POINTS[random(AGENT_POINTS.length)]}@${1 + random(40)}`;
  const manager = { at: MANAGER_POINTS[random(MANAGER_POINTS.length)]!, pass: 1 + random(40) };
  const who = random(3);
  return { agent: who === 1 ? null : agent, manager: who === 0 ? null : manager };
}
const MANAGER = [
  () => ({ at: 'M7', pass: 1 + random(12) }),
  () => ({ at: MANAGER_POINTS[random(MANAGER_POINTS.length)]!, pass: 1 + random(20) }),
];
/** Outages in which the spool becomes full three times over, and a little time between them. */
const outageOf = (round: number): StormRound =>
  round % 2 === 0 ? { agent: null, manager: null, away: true } : { agent: null, manager: null, lines: 60 };
/** Points that are never passed: both live until the limit kills them, wherever they are. */
const never: StormRound = { agent: 'A5@1000000', manager: { at: 'M10', pass: 1_000_000 } };

const programs = await buildLogstorm();
const backup = mkdtempSync(join(tmpdir(), 'webvirt-soak-'));
const ofManager = (dir: string) => readdirSync(dir).filter((name) => !name.startsWith('spool'));
let ended = 0;
try {
  const outcome = await runLogstorm({
    programs,
    rounds: Array.from({ length: Number(rounds) }, (_, round) =>
      row === 'cuts' ? never : row === 'outage' ? outageOf(round) : roundOf(),
    ),
    ...(row === 'outage' ? { capLines: Math.ceil(Number(lines) / 3) } : {}),
    lines: Number(lines),
    limitMs: row === 'cuts' ? 1_500 + random(2_000) : row === 'outage' ? 120_000 : 6_000,
    async between(round, dir, agent) {
      if (row === 'upgrade' && round % 10 === 0) {
        setBackState(join(dir, 'webvirt.sqlite'), 1);
        await setBackLines(join(dir, 'lines.duckdb'), [agent, 'manager']);
        setBackSpool(join(dir, 'spool.sqlite'));
      }
      if (row !== 'restore') return;
      // A backup every tenth round, and back to it five rounds later.
      if (round % 10 === 0) {
        rmSync(backup, { recursive: true });
        cpSync(dir, backup, { recursive: true, filter: (path) => !path.slice(dir.length).startsWith('/spool') });
      } else if (round % 10 === 5) {
        for (const name of ofManager(dir)) rmSync(join(dir, name), { recursive: true });
        cpSync(backup, dir, { recursive: true });
      }
    },
    onRound() {
      ended += 1;
      if (ended % 20 === 0) console.log(`  ${ended} rounds`);
    },
  });
  const faults = outcome.faults.filter((fault) => row !== 'restore' || !fault.startsWith('told live twice'));
  console.log(`  ${JSON.stringify({ ...outcome, gaps: outcome.gaps.length, faults: faults.length })}`);
  if (row === 'outage') {
    // One for each contiguous hole: neighbours would have been one.
    const sorted = outcome.gaps.toSorted((a, b) => a.epoch.localeCompare(b.epoch) || a.from - b.from);
    for (const [i, { epoch, from }] of sorted.entries())
      if (sorted[i - 1]?.epoch === epoch && sorted[i - 1]!.to + 1 === from) faults.push(`two gaps meet at ${from}`);
    if (sorted.length !== Math.ceil(Number(rounds) / 2)) faults.push(`${sorted.length} gaps`);
  }
  for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  programs.remove();
  rmSync(backup, { recursive: true, force: true });
}

// npm run soak [-- ROW… --rounds N --lines N --seed N]: storms that are too long for every test run. Never part of
// npm test. Without a row all are run, one after the other; the exit code says whether something was lost.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ROOT } from './parts/root.mjs';

const ROWS = {
  kills: 'L1 L2 L3: agent, manager or both killed at random points (A1-A12, M1-M5) while lines are on their way',
  cuts: 'L1 L2: as kills, at random moments instead of named points',
  upgrade: 'L3 L17: both killed at random points, also while the files of the first versions are brought up (A11, M7)',
  outage: 'L9: outages in which the spool becomes full; what is declared must be what is missing, to the line',
  disks: 'L5 L7: disks that become full and free again between kills; every n-th call fails, n = 1 to --rounds',
  restore: 'L14: the manager is set back to a backup between kills; what it had acked must come again',
  damage:
    'L16 P8: sealed files are damaged at random places; what is left must be answered, and what is not must be said',
  roads: 'L10: the road between manager and agent is cut in eight ways, for 0.1 to 60 s, then flaps; times as shipped',
  away: 'L8: the store is away for 90 s: what memory that takes, and how fast what waited is stored then',
  slow: 'L12: commits that take 10, 100, 500 and 5,000 ms, a minute each',
  flood: 'L19 S24: one agent says 100,000 lines a second, then all it can; how long those of ten others take meanwhile',
  logins: 'S24: 10,000 sign-ins at once, wrong and right; what live lines take meanwhile, and who gets in',
  fuzz: 'L20: a million texts of any bytes, in any pieces',
  planted: 'each planted bug must turn its tests red',
};
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '200' },
    lines: { type: 'string', default: '3000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.find((row) => !Object.hasOwn(ROWS, row));
if (values.help || unknown !== undefined) {
  if (unknown !== undefined) console.error(`There is no row "${unknown}".`);
  for (const [row, what] of Object.entries(ROWS)) console.log(`${row.padEnd(9)}${what}`);
  process.exit(unknown === undefined ? 0 : 2);
}

let failed = 0;
for (const row of positionals.length === 0 ? Object.keys(ROWS) : positionals) {
  const { rounds, lines, seed } = values;
  const args =
    row === 'planted'
      ? ['scripts/planted-bugs.mjs']
      : row === 'damage'
        ? ['--import', 'tsx', 'test/support/damage-soak.ts', rounds, seed]
        : row === 'disks'
          ? ['--import', 'tsx', 'test/support/disks-soak.ts', rounds, lines, seed]
          : ['roads', 'away', 'slow', 'fuzz'].includes(row)
            ? ['--expose-gc', '--import', 'tsx', 'test/support/roads-soak.ts', row, rounds, lines, seed]
            : row === 'flood' || row === 'logins'
              ? ['--import', 'tsx', `test/support/${row}-soak.ts`]
              : ['--import', 'tsx', 'test/support/logstorm-soak.ts', row, rounds, lines, seed];
  console.log(`${row}: ${ROWS[row]}${row === 'planted' ? '' : ` (${rounds} rounds of ${lines} lines, seed ${seed})`}`);
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  const code = await new Promise((done) => child.on('close', done));
  if (code !== 0) failed += 1;
  console.log(`${row}: ${code === 0 ? 'nothing was lost' : 'FAILED'}`);
}
process.exitCode = failed === 0 ? 0 : 1;

// npm test: installs what the tests need, runs all of them, ends with one line "N passed, N failed".
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { build } from './parts/build.mjs';
import { ensureCassandra } from './parts/cassandra.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_TESTS } from './parts/packages.mjs';
import { inRoot } from './parts/root.mjs';
import { run, runBin } from './parts/run.mjs';

const totals = { passed: 0, failed: 0, skipped: 0 };
const reports = inRoot('.cache', 'test');
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

await ensureNpmPackages();
await ensurePrograms(FOR_TESTS);
// Before the suites: a test that waits for a download would be late for others.
const { missing: noCassandra } = await ensureCassandra(console.log);
if (noCassandra !== undefined) console.log(`skipped: no Cassandra (${noCassandra})`);

async function step(title, work) {
  const startedMs = performance.now();
  const ok = await work();
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${title} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  totals[ok ? 'passed' : 'failed'] += 1;
  return ok;
}

async function suite(project) {
  const report = inRoot('.cache', 'test', `${project}.json`);
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await runBin('vitest', args);
  if (!existsSync(report)) {
    console.log(`FAIL ${project}: the suite did not finish`);
    totals.failed += 1;
    return;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  totals.passed += result.numPassedTests;
  totals.failed += result.numFailedTests;
  totals.skipped += result.numPendingTests + (result.numTodoTests ?? 0);
  // A suite can fail with every test green: a file that could not be loaded, an unhandled rejection.
  if (code !== 0 && result.numFailedTests === 0) totals.failed += 1;
}

await step('lint', async () => (await runBin('biome', ['check', '.'])).code === 0);
await step('types', async () => (await runBin('tsc', ['-b'])).code === 0);
await step('build', () =>
  build({ force: true }).then(
    () => true,
    (error) => {
      console.error(error);
      return false;
    },
  ),
);
await suite('unit');
await suite('flow');
await step('reference site', async () => (await run(process.execPath, ['scripts/docs.mjs', '--check'])).code === 0);

console.log(
  `${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`,
);
process.exit(totals.failed === 0 ? 0 : 1);

// npm test: installs what the tests need, runs all of them, ends with one line "N passed, N failed".
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { build } from './parts/build.mjs';
import { ensureCassandra } from './parts/cassandra.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_TESTS } from './parts/packages.mjs';
import { inRoot } from './parts/root.mjs';
import { run, runBin } from './parts/run.mjs';

const totals = { passed: 0, failed: 0, skipped: 0 };
/** What failed, told once more at the end: a log of three thousand tests is cut from its beginning. @type {string[]} */
const failures = [];
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
  if (!ok) failures.push(title);
  return ok;
}

async function suite(project) {
  const report = inRoot('.cache', 'test', `${project}.json`);
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await runBin('vitest', args);
  if (!existsSync(report)) {
    console.log(`FAIL ${project}: the suite did not finish`);
    totals.failed += 1;
    failures.push(`${project}: the suite did not finish`);
    return;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  totals.passed += result.numPassedTests;
  totals.failed += result.numFailedTests;
  totals.skipped += result.numPendingTests + (result.numTodoTests ?? 0);
  for (const file of result.testResults) {
    const name = relative(inRoot(), file.name);
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    for (const test of failed) failures.push(`${name}: ${test.fullName}\n${indented(test.failureMessages.join('\n'))}`);
    if (file.status === 'failed' && failed.length === 0) failures.push(`${name}\n${indented(file.message)}`);
  }
  // A suite can fail with every test green: a file that could not be loaded, an unhandled rejection.
  if (code !== 0 && result.numFailedTests === 0) {
    totals.failed += 1;
    failures.push(`${project}: exit code ${code} with no failed test; what went wrong stands above its summary`);
  }
}

function indented(text) {
  return text
    .trim()
    .split('\n')
    .slice(0, 12)
    .map((line) => `    ${line}`)
    .join('\n');
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

for (const failure of failures) console.log(`FAIL ${failure}`);
console.log(
  `${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`,
);
process.exit(totals.failed === 0 ? 0 : 1);

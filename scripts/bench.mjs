// npm run bench [-- NAME…]: every measurement of bench/, one table. Goals are printed beside what was measured.
import { spawn } from 'node:child_process';
import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_TESTS } from './parts/packages.mjs';
import { ROOT } from './parts/root.mjs';

const BENCHES = [
  'live',
  'ingest',
  'search',
  'cassandra',
  'commands',
  'console',
  'discovery',
  'launch',
  'migration',
  'compute',
  'transport',
  'viewers',
];
const LIMIT_MS = 180_000;
/** From the request to end until it is made to. */
const END_LIMIT_MS = 60_000;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  console.error(`There is no bench "${unknown[0]}"; there are: ${BENCHES.join(', ')}.`);
  process.exit(2);
}
let stopped = false;
let running = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    stopped = true;
    running?.kill('SIGTERM');
  });

/** Runs one bench; resolves with its rows, and its last words when it did not end well. */
function measure(name) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', `bench/${name}.ts`, '--json'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A Ctrl-C is passed on by us, once.
      detached: true,
    });
    running = child;
    let output = '';
    let words = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (words = (words + chunk).slice(-4_000)));
    const timer = setTimeout(() => child.kill('SIGTERM'), LIMIT_MS);
    const hard = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), LIMIT_MS + END_LIMIT_MS);
    child.on('error', (error) => (words += error.message));
    child.on('close', (code) => {
      clearTimeout(timer);
      clearTimeout(hard);
      running = null;
      const rows = output.split('\n').flatMap(rowOf);
      resolve({ rows, ok: code === 0, words: words.trim() });
    });
  });
}

function rowOf(line) {
  try {
    const row = JSON.parse(line);
    return typeof row.name === 'string' && 'value' in row ? [row] : [];
  } catch {
    return [];
  }
}

const show = (value) =>
  typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 2 }) : String(value ?? '');
const verdict = (ok) => (ok === true ? 'met' : ok === false ? 'MISSED' : '');

function print(rows) {
  const table = [
    ['measurement', 'value', 'unit', 'goal', ''],
    ...rows.map((row) => [row.name, show(row.value), row.unit ?? '', row.goal ?? '', verdict(row.ok)]),
  ];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const padded = (cell, column) => (column === 1 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]));
  for (const row of table) console.log(`| ${row.map(padded).join(' | ')} |`.trimEnd());
}

await ensureNpmPackages();
await ensurePrograms(FOR_TESTS);
await build();
const all = [];
let finished = true;
for (const name of BENCHES) {
  if (stopped || (wanted.length > 0 && !wanted.includes(name))) continue;
  console.error(`… ${name}`);
  const { rows, ok, words } = await measure(name);
  all.push({ name: `${name.toUpperCase()}${rows.length > 0 ? '' : ': not measured'}` }, ...rows);
  if (words !== '' && (!ok || rows.length === 0)) console.error(words);
  if (!ok) {
    finished = false;
    all.push({ name: `${name} did not finish`, ok: false });
  }
}
print(all);
process.exitCode = finished && !stopped ? 0 : 1;

// npm run bench [-- NAME…]: every measurement of bench/, one table. Goals are printed beside what was measured.
import { readdirSync } from 'node:fs';
import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_TESTS } from './parts/packages.mjs';
import { inRoot } from './parts/root.mjs';
import { run } from './parts/run.mjs';

const wanted = process.argv.slice(2);
await ensureNpmPackages();
await ensurePrograms(FOR_TESTS);
await build();

const rows = [];
const names = readdirSync(inRoot('bench'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -3));
for (const name of names.filter((n) => wanted.length === 0 || wanted.includes(n))) {
  console.error(`… ${name}`);
  const { code, output } = await run(
    process.execPath,
    [inRoot('node_modules', '.bin', 'tsx'), `bench/${name}.ts`, '--json'],
    { capture: true },
  );
  const found = output.split('\n').flatMap((line) => {
    try {
      const row = JSON.parse(line);
      return typeof row.name === 'string' && 'value' in row ? [row] : [];
    } catch {
      return [];
    }
  });
  if (code !== 0 || found.length === 0) {
    console.error(output.trim().split('\n').slice(-20).join('\n'));
    found.push({ name: `${name}: did not finish`, value: NaN, unit: '', goal: '', ok: false });
  }
  rows.push(...found);
}
const show = (value) =>
  typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 2 }) : String(value ?? '');
const table = [
  ['measurement', 'value', 'unit', 'goal', ''],
  ...rows.map((r) => [
    r.name,
    show(r.value),
    r.unit ?? '',
    String(r.goal ?? ''),
    r.ok === undefined ? '' : r.ok ? 'met' : 'MISSED',
  ]),
];
const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
for (const row of table)
  console.log(
    `| ${row.map((cell, column) => (column === 1 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join(' | ')} |`,
  );

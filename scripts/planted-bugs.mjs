// npm run planted-bugs [-- name]: plants each bug that would lose or double lines, one at a time and in a copy of the
// tree, and runs the tests that must see it. A bug that no test sees is a hole in the suite: the run then ends with 1.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLANTED_LINES } from './parts/planted-lines.mjs';
import { PLANTED_ROADS } from './parts/planted-roads.mjs';
import { inRoot } from './parts/root.mjs';

const LIMIT_MS = 180_000;
const LEFT_OUT = /^[/\\](node_modules|\.cache|\.git|dist|data|docs-site[/\\]_site)([/\\]|$)/;

const BUGS = [...PLANTED_LINES, ...PLANTED_ROADS];

const wanted = process.argv[2] ?? '';
const tree = mkdtempSync(join(tmpdir(), 'webvirt-planted-'));
let unseen = 0;
try {
  cpSync(inRoot(), tree, { recursive: true, filter: (path) => !LEFT_OUT.test(path.slice(inRoot().length)) });
  symlinkSync(inRoot('node_modules'), join(tree, 'node_modules'));
  for (const { name, file, right, wrong, tests } of BUGS.filter((bug) => bug.name.includes(wanted))) {
    const path = join(tree, file);
    const text = readFileSync(path, 'utf8');
    if (text.split(right).length !== 2) {
      console.log(`CANNOT  ${name}: the place in ${file} is not there once`);
      unseen += 1;
      continue;
    }
    writeFileSync(
      path,
      text.replace(right, () => wrong),
    );
    const args = ['vitest', 'run', '--bail=1', '--reporter=dot', ...tests];
    const run = spawnSync('npx', args, { cwd: tree, timeout: LIMIT_MS, encoding: 'utf8' });
    writeFileSync(path, text);
    // A suite that hangs has not seen it: it says nothing.
    const isRed =
      run.status !== null && run.status !== 0 && /Tests .*failed/.test(run.stdout.replaceAll(/\u001b\[\d+m/g, ''));
    if (!isRed) unseen += 1;
    console.log(`${isRed ? 'RED    ' : run.status === 0 ? 'GREEN !' : 'BROKEN!'} ${name}  (${tests.join(', ')})`);
    if (!isRed && run.status !== 0) console.log(run.stdout.slice(-400), run.stderr.slice(0, 800));
  }
} finally {
  rmSync(tree, { recursive: true, force: true });
}
process.exitCode = unseen === 0 ? 0 : 1;

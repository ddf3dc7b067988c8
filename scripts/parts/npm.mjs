import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from './root.mjs';
import { run } from './run.mjs';

const LOCK = inRoot('package-lock.json');
const STAMP = inRoot('node_modules', '.webvirt-lock');

/** Installs the npm packages of the lock file unless just these are there already. Ends the process when it cannot. */
export async function ensureNpmPackages(say = console.log) {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) {
    console.error(`WebVirt needs Node 20 or later; this is ${process.version}.`);
    process.exit(1);
  }
  const lock = readFileSync(LOCK, 'utf8');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lock) return;
  say('Installing npm packages (the first time only; better-sqlite3 may be compiled)…');
  // Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms, and a registry that does
  // not carry those cannot give them. The versions are the lock file's all the same, and it is not written.
  const { code, output } = await run('npm', ['install', '--no-save', '--no-audit', '--no-fund'], { capture: true });
  if (code !== 0) {
    console.error(output.trim().split('\n').slice(-15).join('\n'));
    console.error('npm could not install the packages. Is the registry reachable, and are make and g++ installed?');
    process.exit(1);
  }
  writeFileSync(STAMP, lock);
}

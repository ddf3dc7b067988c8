import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot, ROOT } from './root.mjs';

const PROGRAMS = {
  manager: 'manager/main.ts',
  'node-agent': 'node-agent/main.ts',
  crawler: 'crawler/main.ts',
  cli: 'cli/main.ts',
};
/** Of use to any program of Node: what `webvirt/redis-transport` and `webvirt/socket-transport` name. */
const TRANSPORTS = ['redis-transport', 'socket-transport'];
const SOURCES = ['common', 'logging', 'node-agent', 'crawler', 'manager', 'cli', 'web', 'scripts/parts'];
const STAMP = inRoot('dist', '.stamp');

function newestMs(path, newest = 0) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return newest;
  if (!stat.isDirectory()) return Math.max(newest, stat.mtimeMs);
  return readdirSync(path).reduce((best, name) => newestMs(join(path, name), best), newest);
}

/** What the build was made from: newest change of any source, and the lock file. */
function fingerprint() {
  const newest = SOURCES.reduce(
    (best, folder) => newestMs(inRoot(folder), best),
    newestMs(inRoot('package-lock.json')),
  );
  return String(newest);
}

export function isBuilt() {
  try {
    return readFileSync(STAMP, 'utf8') === fingerprint();
  } catch {
    return false;
  }
}

/** Builds the programs (one bundle each, npm packages stay outside) and the console. */
export async function build({ say = console.log, force = false } = {}) {
  if (!force && isBuilt()) return;
  const made = fingerprint();
  say('Building…');
  const esbuild = await import('esbuild');
  const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  const programs = esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries([
      ...Object.entries(PROGRAMS).map(([name, entry]) => [`${name}/main`, entry]),
      ...TRANSPORTS.map((name) => [`logging/${name}`, `logging/${name}.ts`]),
    ]),
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
    define: { __WEBVIRT_VERSION__: JSON.stringify(version) },
    logLevel: 'warning',
  });
  const { build: buildWeb } = await import('vite');
  await Promise.all([
    programs,
    buildWeb({ configFile: inRoot('web', 'vite.config.ts'), root: inRoot('web'), logLevel: 'warn' }),
  ]);
  mkdirSync(inRoot('dist'), { recursive: true });
  writeFileSync(STAMP, made);
}

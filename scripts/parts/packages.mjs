import { accessSync, constants, existsSync } from 'node:fs';
import { NEEDS, PYTHON } from './needs.mjs';
import { findProgram, run } from './run.mjs';

export { FOR_LAB, FOR_START, FOR_TESTS } from './needs.mjs';

const SAGE = 'sagemath';

export const isDebian = () => existsSync('/etc/debian_version') && findProgram('apt-get') !== null;
export const isRoot = () => process.getuid?.() === 0;
export const APT_ENV = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
/** Another apt may be at work, such as the one that brings SageMath beside a running WebVirt: it is waited for. */
const INSTALL = ['-y', '-qq', '-o', 'DPkg::Lock::Timeout=900', '--no-install-recommends'];
export const aptInstall = (packages, ...options) => ['install', ...INSTALL, ...options, '--', ...packages];

function isThere(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Prints the modules that are not there. A folder without code, such as a removed package leaves behind, is none. */
const FIND_MODULES = `
import sys, importlib.util
for name in sys.argv[1:]:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        print(name)
`;

/** Which of these modules Debian's Python lacks. A module is looked for, not run; `-I`: nothing of the caller's counts. */
async function missingModules(modules) {
  if (modules.length === 0) return new Set();
  if (!isThere(PYTHON)) return new Set(modules);
  const { code: exit, output } = await run(PYTHON, ['-I', '-c', FIND_MODULES, ...modules], { capture: true });
  return new Set(exit === 0 ? output.trim().split(/\s+/) : modules);
}

/** Those of the named needs that this machine lacks, in their order. */
export async function missingOf(names) {
  const modules = await missingModules(names.flatMap((name) => NEEDS[name].module ?? []));
  return names.filter((name) => {
    const { module, path } = NEEDS[name];
    if (module !== undefined) return modules.has(module);
    return path === undefined ? findProgram(name) === null : !isThere(path);
  });
}

const packagesOf = (names) => [...new Set(names.map((name) => NEEDS[name].package))];

/**
 * Makes sure that the needs are there. As root on Debian it installs their packages; else, and where that fails, it says
 * exactly what is missing and what follows, and goes on. Returns the names that are still missing.
 */
export async function ensurePrograms(names, say = console.log) {
  let missing = await missingOf(names);
  if (missing.length === 0) return [];
  const packages = packagesOf(missing);
  if (isDebian() && isRoot()) {
    say(`Installing Debian packages: ${packages.join(' ')}`);
    if (packages.includes(SAGE)) say('SageMath is large: about 600 MB to fetch, 2 GB on disk; this takes minutes.');
    await run('apt-get', ['update', '-qq'], { env: APT_ENV, capture: true });
    // Apart from the others: a Debian that has no SageMath would refuse all of them.
    for (const group of [packages.filter((name) => name !== SAGE), packages.filter((name) => name === SAGE)]) {
      if (group.length === 0) continue;
      const apt = await run('apt-get', aptInstall(group), { env: APT_ENV, capture: true });
      if (apt.code !== 0) say(`apt-get could not install ${group.join(' ')}: ${apt.output.trim().split('\n').at(-1)}`);
    }
    missing = await missingOf(missing);
  }
  for (const name of missing) say(`Missing: ${name} (Debian package ${NEEDS[name].package}): ${NEEDS[name].without}.`);
  if (missing.length > 0 && !isRoot()) {
    say(`To have all of it: sudo apt-get install --no-install-recommends ${packagesOf(missing).join(' ')}`);
  }
  return missing;
}

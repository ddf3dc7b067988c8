// npm start: installs what is missing, builds, starts the manager, the crawler and an agent for this machine.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_START } from './parts/packages.mjs';
import { keepProgram } from './parts/program.mjs';
import { inRoot } from './parts/root.mjs';

const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
const dataDir = resolve(process.env.WEBVIRT_DATA_DIR ?? inRoot('data'));

const programs = [];
let stopping = null;

/** Stops all parts, last started first, and ends with the code. */
function stopAll(code) {
  stopping ??= (async () => {
    for (const program of [...programs].reverse()) await program.stop();
    process.exit(code);
  })();
  return stopping;
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stopAll(0));

await ensureNpmPackages();
await ensurePrograms(FOR_START);
await build();

/** Starts a program and waits for it; the first failure of the first start ends everything. */
async function bring(name, env) {
  let up = false;
  const program = keepProgram(name, {
    env,
    onLine: (line) => console.error(`${name}: ${line}`),
    onEnd(code, signal, delayMs) {
      if (stopping !== null) return false;
      if (!up || code === 2) {
        console.error(
          `${name} could not start (${signal ?? `exit code ${code}`}). Nothing was lost; see the line above for the reason.`,
        );
        void stopAll(code === 2 ? 2 : 1);
        return false;
      }
      console.error(`${name} ended (${signal ?? `exit code ${code}`}); it is started again in ${delayMs} ms.`);
      return true;
    },
  });
  programs.push(program);
  const ready = await program.start();
  up = ready !== null;
  // A program that did not come up is ending everything: wait for that instead of going on.
  return ready ?? new Promise(() => {});
}

// Without a word of the user the crawler looks at this machine alone.
const ranges =
  process.env.WEBVIRT_CRAWLER_RANGES ?? (process.env.WEBVIRT_CRAWLER_CONFIG === undefined ? '127.0.0.1/32' : undefined);
const manager = await bring('manager', { WEBVIRT_DATA_DIR: dataDir });
// At once: when another part cannot start, the manager will not make this password again.
if (manager.firstPassword) console.log(`First sign-in: admin@localhost / ${manager.firstPassword}`);
const local = join(dataDir, 'local');
await Promise.all([
  bring('node-agent', {
    WEBVIRT_AGENT_DATA_DIR: process.env.WEBVIRT_AGENT_DATA_DIR ?? join(dataDir, 'agent'),
    WEBVIRT_AGENT_ENROL_FILE: process.env.WEBVIRT_AGENT_ENROL_FILE ?? join(local, 'enrol.json'),
  }),
  bring('crawler', {
    ...(ranges === undefined ? {} : { WEBVIRT_CRAWLER_RANGES: ranges }),
    WEBVIRT_MANAGER_URL: process.env.WEBVIRT_MANAGER_URL ?? manager.url,
    WEBVIRT_CRAWLER_TOKEN_FILE: process.env.WEBVIRT_CRAWLER_TOKEN_FILE ?? join(local, 'crawler.token'),
    WEBVIRT_CRAWLER_DATA_DIR: process.env.WEBVIRT_CRAWLER_DATA_DIR ?? join(dataDir, 'crawler'),
  }),
]);
console.log(`WebVirt ${version} is ready: ${manager.url}`);

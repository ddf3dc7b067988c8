// npm start: installs what is missing, builds, starts the manager, the crawler, an agent and a compute server for this
// machine. SageMath, which is large, is brought while they run already.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from './parts/build.mjs';
import { computeCommand, whyNoCompute } from './parts/compute.mjs';
import { humanLine } from './parts/human-line.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_START } from './parts/packages.mjs';
import { keepProgram } from './parts/program.mjs';
import { inRoot } from './parts/root.mjs';
import { bringSage } from './parts/sage.mjs';

const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
const dataDir = resolve(process.env.WEBVIRT_DATA_DIR ?? inRoot('data'));

const programs = [];
let stopping = null;
let sage = null;

/** Stops all parts, last started first, and ends with the code. */
function stopAll(code) {
  stopping ??= (async () => {
    sage?.stop();
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
const agentDir = resolve(process.env.WEBVIRT_AGENT_DATA_DIR ?? join(dataDir, 'agent'));
await Promise.all([
  bring('node-agent', {
    WEBVIRT_AGENT_DATA_DIR: agentDir,
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

/** Starts the compute server. Nothing waits for it, and nothing ends with it: all else works without computations. */
function bringCompute() {
  const compute = keepProgram('compute', {
    argv: computeCommand(agentDir),
    onLine(line) {
      const text = humanLine(line);
      if (text !== null) console.error(`compute: ${text}`);
    },
    onEnd(code, signal, delayMs) {
      if (stopping !== null) return false;
      const how = signal ?? `exit code ${code}`;
      const next = code === 2 ? 'computations are off until the next start.' : `it is started again in ${delayMs} ms.`;
      console.error(`The compute server ended (${how}); its sessions ended with it; ${next}`);
      return code !== 2;
    },
  });
  programs.push(compute);
  void compute.start();
  return compute;
}

// After the ready line, so that the first page is not slowed by kernels that load.
const why = await whyNoCompute();
if (why !== null) console.log(`Computations are off: ${why}.`);
else if (stopping === null) {
  const compute = bringCompute();
  sage = bringSage({
    say: (text) => console.log(text),
    logPath: join(dataDir, 'sage-install.log'),
    onInstalled() {
      console.log('The compute server is started again to load it; open Python sessions on this machine end.');
      compute.restart();
    },
  });
}

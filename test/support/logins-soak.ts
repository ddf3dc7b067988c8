// The row `logins` of `npm run soak` (S24): how many. Thousands of sign-ins at once, wrong and right, from everywhere: what
// live lines take meanwhile, and whether who was here before, and who comes new, get in. Ends with 1 when one does not.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { tail } from './live.ts';
import { programOf } from './program.ts';

const [count = '10000'] = process.argv.slice(2);
const PASSWORD = 'correct horse battery staple';
const HOME = '127.200.0.1';
const ALONE_MS = 5_000;

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const canPin = spawnSync('taskset', ['--version']).status === 0 && availableParallelism() > 1;
const dir = mkdtempSync(join(tmpdir(), 'webvirt-logins-'));
const env = { PATH: process.env['PATH'], WEBVIRT_DATA_DIR: dir, WEBVIRT_PORT: '0', WEBVIRT_ADMIN_PASSWORD: PASSWORD };
const manager = await programOf(
  'manager',
  spawn(process.execPath, ['--import', 'tsx', here('../../manager/main.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  }),
);
const url = String(manager.ready['url']);
const token = readFileSync(join(dir, 'local', 'admin.token'), 'utf8').trim();
const faults: string[] = [];

/** A storm that is not to take what the manager would use: on one processor, behind everybody else. */
function startStorm(): ChildProcess {
  const before = canPin ? ['nice', '-n', '15', 'taskset', '-c', String(availableParallelism() - 1)] : [];
  const argv = [...before, process.execPath, '--import', 'tsx', here('logins-storm.ts'), url, count];
  return spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** With the right password. */
function signIn(from: string): Promise<number> {
  const body = JSON.stringify({ email: 'admin@localhost', password: PASSWORD });
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', localAddress: from, agent: false as const };
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), origin: url };
    const call = request(`${url}/api/v1/sign-in`, { ...options, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
    });
    call.once('error', reject);
    call.end(body);
  });
}

const socket = io(url, { transports: ['websocket'], auth: { token }, forceNew: true });
const seen = tail(socket, { q: 'probe', backlog: 0 });
await seen.started;
let probes = 0;
/** How long each line takes from being posted until a viewer has it, as long as `goesOn`. */
async function measure(goesOn: () => boolean): Promise<number[]> {
  const tookMs: number[] = [];
  while (goesOn()) {
    const message = `probe ${probes++}.`;
    const startedMs = performance.now();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const posted = await fetch(`${url}/api/v1/logs`, { method: 'POST', headers, body: JSON.stringify([{ message }]) });
    if (posted.status >= 300) faults.push(`a line was answered with ${posted.status}`);
    await seen.until((lines) => lines.some((line) => line.message === message));
    tookMs.push(performance.now() - startedMs);
    await sleep(20);
  }
  return tookMs;
}
const told = (all: number[]) => {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)]! * 10) / 10;
  return `${all.length} lines, p50 ${at(0.5)} p99 ${at(0.99)} most ${at(1)} ms`;
};

const child = startStorm();
if ((await signIn(HOME)) !== 200) faults.push('the first sign-in was refused');
const untilMs = performance.now() + ALONE_MS;
console.log(`  alone: ${told(await measure(() => performance.now() < untilMs))}`);
let isOver = false;
const startedMs = performance.now();
const ended = once(child, 'message').then(([answers]) => {
  isOver = true;
  return answers as Record<string, number>;
});
child.send({ password: PASSWORD });
/** Who was here before tries again and again. */
const known = (async () => {
  const tookMs: number[] = [];
  while (!isOver) {
    const fromMs = performance.now();
    const status = await signIn(HOME);
    tookMs.push(performance.now() - fromMs);
    if (status !== 200) faults.push(`who was here before was answered with ${status}`);
    await sleep(200);
  }
  return tookMs;
})();
/** Who comes new is refused for load at most, and may try again. */
const fresh = (async () => {
  const answers: Record<string, number> = {};
  while (!isOver) {
    const status = await signIn('127.201.0.1');
    answers[status] = (answers[status] ?? 0) + 1;
    await sleep(200);
  }
  return answers;
})();
const during = await measure(() => !isOver);
const answers = await ended;
const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
console.log(
  `  ${count} sign-ins in ${seconds} s, answered ${JSON.stringify(answers)}; live meanwhile: ${told(during)}`,
);
console.log(
  `  who was here before: ${told(await known).replace('lines', 'sign-ins')}; who came new: ${JSON.stringify(await fresh)}`,
);
if (Object.keys(answers).some((status) => !['200', '401', '429'].includes(status)))
  faults.push('a sign-in was answered with something else, or not at all');
const after = await signIn('127.202.0.1');
const again = await signIn('127.201.0.1');
if (after !== 200 || again !== 200) faults.push(`after the storm the right password was answered ${after}, ${again}`);
socket.close();
child.disconnect();
await manager.end();
rmSync(dir, { recursive: true, force: true });
for (const fault of new Set(faults)) console.log(`  ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { humanLine } from '../../scripts/parts/human-line.mjs';
import { computeMissing } from './compute.ts';
import { type LabConsole, startConsole } from './console.ts';
import { startDemoGuests } from './demo-guests.ts';
import { enrolHosts } from './enrol.ts';
import { createLab, type Lab, type LabStatus } from './lab.ts';
import { registerTiny } from './register-tiny.ts';
import { LabError } from './run.ts';
import { followSage } from './sage-later.ts';
import { whatToTry } from './try.ts';

const USAGE = `npm run lab [-- up|status|down] [-- --hosts N] [--guests N] [--name NAME] [--port N] [--kvm] [--locks] [--no-console]
  up       builds the lab, starts the console on it and stays; Ctrl-C takes everything down.
           With --no-console it ends when the lab is up, and the lab stays until "down".
  status   says what is there.
  down     takes the lab away, whoever built it.`;

const DIST_DIR = resolve(dirname(fileURLToPath(import.meta.url)), '../../dist');

function parseNumber(text: string, flag: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new LabError(`--${flag} takes a number, not "${text}"`);
  return Number(text);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        hosts: { type: 'string', default: '3' },
        guests: { type: 'string', default: '4' },
        name: { type: 'string', default: 'wv-lab' },
        port: { type: 'string', default: '4600' },
        kvm: { type: 'boolean', default: false },
        locks: { type: 'boolean', default: false },
        'no-console': { type: 'boolean', default: false },
      },
    });
    return {
      command: positionals[0] ?? 'up',
      more: positionals.length > 1,
      name: values.name,
      hosts: parseNumber(values.hosts, 'hosts'),
      guests: parseNumber(values.guests, 'guests'),
      port: parseNumber(values.port, 'port'),
      accel: values.kvm ? ('auto' as const) : ('tcg' as const),
      locks: values.locks,
      console: !values['no-console'],
    };
  } catch (error) {
    throw error instanceof LabError ? error : new LabError((error as Error).message, { cause: error });
  }
}

function describe(status: LabStatus): string {
  if (status.state === 'down') return `lab ${status.name} is down`;
  if (status.state === 'dead') return `lab ${status.name} is dead (${status.processes} processes left): run down`;
  const hosts = status.hosts.map(
    (host) => `  ${host.name}  ${host.address}  ${host.running ? 'running' : 'off'}  ${host.uuid}`,
  );
  const warning = status.warning === null ? [] : [`live migration needs --unsafe here: ${status.warning}`];
  const head = `lab ${status.name} is up: ${status.hosts.length} hosts, ${status.processes} processes, ${status.accel}, in ${status.dir}`;
  return [head, ...hosts, ...warning].join('\n');
}

/** Builds the lab and, if wished, stays with the console until a signal or until somebody takes the lab away. */
async function up(lab: Lab, options: ReturnType<typeof readArguments>): Promise<number> {
  const startMs = performance.now();
  let running: LabConsole | null = null;
  let stopping: Promise<void> | null = null;
  const stopAll = () => {
    stopping ??= (async () => {
      await running?.stop();
      await lab.down();
    })();
    return stopping;
  };
  const signalled = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => void stopAll().finally(done));
  });
  try {
    await lab.up();
  } catch (error) {
    // What was ours is gone already; a lab that somebody else has under this name is not ours to take down.
    if (stopping === null) throw error;
    await stopping;
    return 130;
  }
  try {
    await startDemoGuests(lab, options.guests);
    console.log(describe(await lab.status()));
    console.log(
      `built in ${((performance.now() - startMs) / 1000).toFixed(1)} s; look inside: ip netns exec ${lab.name} ip address`,
    );
    if (!options.console && stopping === null) return 0;
    const onLine = (from: string, line: string) => {
      const text = from.startsWith('compute ') ? humanLine(line) : line;
      if (text !== null) console.error(`${from}: ${text}`);
    };
    running = await startConsole(lab, { distDir: DIST_DIR, port: options.port, onLine });
    await enrolHosts(lab, running, { distDir: DIST_DIR, port: options.port });
    await registerTiny(lab, running);
    // Last: kernels that load would slow everything else down.
    const why = computeMissing();
    if (why !== null) console.log(`Computations are off: ${why}.`);
    else await Promise.all(lab.hosts.map(running.startCompute));
    followSage(running, lab);
  } catch (error) {
    const asked = stopping !== null;
    await stopAll();
    if (asked) return 130;
    throw error;
  }
  if (running.firstPassword !== null) console.log(`First sign-in: admin@localhost / ${running.firstPassword}`);
  console.log(`WebVirt is ready on the lab: ${running.url}`);
  console.log(whatToTry({ url: running.url, dataDir: running.dataDir, hosts: options.hosts, guests: options.guests }));
  await Promise.race([signalled, running.ended]);
  const asked = stopping !== null;
  await stopAll();
  if (!asked) console.error('the manager ended, and the lab with it');
  return asked ? 0 : 1;
}

async function main(): Promise<number> {
  const options = readArguments();
  if (options.more || !['up', 'status', 'down'].includes(options.command)) throw new LabError(USAGE);
  const withConsole = options.command === 'up' && options.console;
  if (withConsole && !existsSync(join(DIST_DIR, 'manager', 'main.js'))) {
    throw new LabError('the programs are not built yet: run npm run build, or use --no-console');
  }
  const { name, hosts, accel, locks } = options;
  const lab = createLab({ name, hosts, accel, locks, detached: !withConsole });
  if (options.command === 'up') return await up(lab, options);
  if (options.command === 'down') await lab.down();
  console.log(describe(await lab.status()));
  return 0;
}

// A closed terminal or pipe must not end us half way: the lab has to be taken down first.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof LabError ? error.message : error);
  process.exitCode = 1;
}

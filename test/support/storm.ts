import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { Ledger } from './storm-ledger.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Bundles the storm program once; packages stay outside. Returns its path. */
export async function buildStorm(): Promise<string> {
  const outfile = join(ROOT, '.cache', 'test', `logstorm-${process.pid}.mjs`);
  mkdirSync(join(ROOT, '.cache', 'test'), { recursive: true });
  const entry = join(ROOT, 'test/support/logstorm.ts');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}

export interface StormRun {
  program: string;
  args: Record<string, string>;
  ledger: Ledger;
  /** False: frames are stored, but the acks are held back, as when the answer is lost. */
  acks: boolean;
  /** False: nothing is sent at all, as when the manager is away. */
  connected: boolean;
}

/** Runs the program once, to its end or death. Resolves with the signal that ended it, or its exit code. */
export function runStorm({ program, args, ledger, acks, connected }: StormRun): Promise<string> {
  const argv = Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]);
  const child: ChildProcess = spawn(process.execPath, [program, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] });
  const say = (message: unknown) => child.stdin?.write(`${JSON.stringify(message)}\n`);
  child.stdin?.on('error', () => {});
  createInterface({ input: child.stdout! }).on('line', (text) => {
    // The line that the kill cut in two says nothing.
    if (!text.endsWith('}')) return;
    const message = JSON.parse(text);
    if (message.t === 'hello') {
      if (connected) say({ t: 'resume', cursors: [...ledger.cursors.values()] });
      say({ t: 'may-end', when: acks ? 'drained' : 'now' });
    } else if (message.t === 'spooled') ledger.spool(message);
    else if (message.t === 'ack-result' && message.is === 'fork') ledger.faults.push('the spool saw a fork');
    else if (message.t === 'sent') {
      const ack = ledger.take(message.header, Buffer.from(message.body, 'base64'));
      if (acks) say({ t: 'ack', ...ack });
    }
  });
  return new Promise((done) => child.on('close', (code, signal) => done(signal ?? String(code))));
}

import { type ChildProcess, fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../..');

/** A program of a test as one file that node runs. */
export interface ChildProgram {
  path: string;
  remove(): void;
}

/** Bundles a file of ours, named from the root of the tree; packages stay outside and are found from there. */
export async function buildChild(entry: string): Promise<ChildProgram> {
  const path = join(ROOT, '.cache', 'test', `${basename(entry, '.ts')}-${process.pid}.mjs`);
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', target: 'node20' } as const;
  await build({ ...options, entryPoints: [join(ROOT, entry)], outfile: path, logLevel: 'error' });
  return { path, remove: () => rmSync(path, { force: true }) };
}

/** A child that answers each message with one of its own. */
export interface AskedChild<Q, A> {
  child: ChildProcess;
  /** Resolves with the answer, or with the signal or exit code when it ended instead. */
  ask(question: Q): Promise<A | string>;
  /** Signal or exit code. */
  ended: Promise<string>;
}

/** Starts one with its order as JSON text. It must end by itself when its parent is gone. */
export function startChild<Q extends object, A>({ path }: ChildProgram, order: unknown): AskedChild<Q, A> {
  const child = fork(path, [JSON.stringify(order)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise<string>((done) => child.once('exit', (code, signal) => done(signal ?? String(code))));
  return {
    ...{ child, ended },
    ask(question) {
      const answer = new Promise<A>((done) => child.once('message', (said) => done(said as A)));
      // It may be gone already.
      child.send(question, () => undefined);
      return Promise.race([answer, ended]);
    },
  };
}

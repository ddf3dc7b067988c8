import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { buildChild } from './child-program.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Of the calls on files below the folder: what happens to every n-th of them. */
export const IO_FAULTS = { none: 0, EIO: 1, short: 2, EINTR: 3, ENOSPC: 4, 'EIO at syncs': 5 } as const;
export type IoFault = keyof typeof IO_FAULTS;

/** Steers the library from inside the program that it is loaded into. */
export function openIoControl(path: string) {
  const file = openSync(path, 'r+');
  const numbers = new Int32Array(4);
  return {
    /** From here on; counts begin anew. */
    set(fault: IoFault, every = 1): void {
      numbers.set([IO_FAULTS[fault], every, 0, 0]);
      writeSync(file, numbers, 0, 16, 0);
    },
    /** Calls that failed since `set`. */
    failed(): number {
      readSync(file, numbers, 0, 16, 0);
      return numbers[3]!;
    },
    close: () => closeSync(file),
  };
}

/** What one fault at every n-th call did to one part of the road. */
export interface IoOutcome {
  fault: IoFault;
  every: number;
  /** Calls that failed. */
  failed: number;
  /** Errors that were told to the caller. */
  told: number;
  /** What was lost, doubled or altered; empty: nothing. */
  faults: string[];
}

export interface IoOrder {
  part: 'spool' | 'lines' | 'state';
  folder: string;
  control: string;
  faults: IoFault[];
  every: number[];
}

/** Why no library can be made here, or null. */
export function failingIoMissing(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  return spawnSync('cc', ['--version']).status === 0 ? null : 'no C compiler';
}

/** Runs one part of the road under each fault at every n-th call, in a process of its own. */
export async function underFailingIo(
  part: IoOrder['part'],
  faults: IoFault[],
  every: number[],
): Promise<{ outcomes: IoOutcome[]; ended: string }> {
  const cache = join(ROOT, '.cache', 'test');
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, 'failing-io-'));
  const library = join(dir, 'failing-io.so');
  const source = join(import.meta.dirname, 'failing-io.c');
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`cc: ${built.stderr}`);
  const program = await buildChild('test/support/failing-io-child.ts');
  const [folder, control] = [join(dir, 'files'), join(dir, 'control')];
  mkdirSync(folder);
  writeFileSync(control, Buffer.alloc(16));
  try {
    const order: IoOrder = { part, folder, control, faults, every };
    const child = spawn(process.execPath, [program.path, JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, LD_PRELOAD: library, FAILING_IO_FOLDER: folder, FAILING_IO_CONTROL: control },
    });
    const outcomes: IoOutcome[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => outcomes.push(JSON.parse(line)));
    const ended = await new Promise<string>((done) =>
      child.on('close', (code, signal) => done(signal ?? String(code))),
    );
    return { outcomes, ended };
  } finally {
    program.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT = join(import.meta.dirname, '..', '..');

/** A real program of ours in a process of its own. */
export interface Program {
  child: ChildProcess;
  /** What its ready line said. */
  ready: Record<string, unknown>;
  /** Everything it has written to stderr so far. */
  said(): string;
  /** Sends the signal and resolves with the exit code (or the signal's name) when it has ended. */
  end(signal?: NodeJS.Signals): Promise<number | string>;
}

/** Starts `dist/<name>/main.js` and waits for its ready line. Rejects with its last words when it ends before. */
export async function startProgram(name: string, env: Record<string, string>): Promise<Program> {
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', '--disable-proto=delete', join(ROOT, 'dist', name, 'main.js')],
    {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return programOf(name, child);
}

/** The same for a child that was started elsewhere (inside the lab). */
export async function programOf(name: string, child: ChildProcess): Promise<Program> {
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += chunk;
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  // Its last words may be read after it has ended.
  const closed = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const message = JSON.parse(line) as Record<string, unknown>;
      if (message['ready'] === true) resolve(message);
    });
    child.once('error', reject);
    closed.then((code) => reject(new ProgramEnded(name, code, text)));
  });
  return {
    child,
    ready: await ready,
    said: () => text,
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** A program ended before it was ready. */
export class ProgramEnded extends Error {
  readonly code: number | string;
  readonly said: string;

  constructor(name: string, code: number | string, said: string) {
    super(`${name} ended (${code}): ${said}`);
    this.code = code;
    this.said = said;
  }
}

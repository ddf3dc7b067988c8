import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LabError } from './run.ts';

const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;

/** What a program writes to stderr, line by line. `from` is its name, and the host's for a part of a host. */
export type OnLine = (from: string, line: string) => void;

/** The JSON line a program prints when it is up; the manager's also has its address and first password. */
export interface Ready {
  readonly ready: true;
  readonly url?: string;
  readonly firstPassword?: string | null;
}

/** Fulfilled with the ready line. @throws LabError when the program ends or stays silent; its last words are in it. */
export function untilReady(from: string, child: ChildProcess, onLine: OnLine): Promise<Ready> {
  return new Promise((resolve, reject) => {
    let lastLine = '';
    const fail = (what: string) => reject(new LabError(`${from} ${what}${lastLine ? `: ${lastLine}` : ''}`));
    const timer = setTimeout(() => fail(`is not ready after ${READY_LIMIT_MS / 1000} s`), READY_LIMIT_MS);
    createInterface({ input: child.stderr! }).on('line', (line) => {
      lastLine = line;
      onLine(from, line);
    });
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const message = parseReady(line);
      if (!message) return onLine(from, line);
      clearTimeout(timer);
      resolve(message);
    });
    child.on('error', (error) => fail(`cannot be started (${error.message})`));
    // "close" comes after the last line was read, "exit" may come before it.
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      fail(`ended (${signal ?? `code ${code}`})`);
    });
  });
}

function parseReady(line: string): Ready | null {
  try {
    const message = JSON.parse(line) as Partial<Ready>;
    return message.ready === true ? { ...message, ready: true } : null;
  } catch {
    return null;
  }
}

/** Asks with SIGTERM, then insists. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

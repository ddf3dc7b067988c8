import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './root.mjs';

/**
 * Runs a program (no shell) to its end; resolves with its exit code and, when `capture`, what it printed. After
 * `timeoutMs` it is killed.
 */
export function run(
  program,
  args,
  { cwd = ROOT, env = process.env, capture = false, quiet = false, timeoutMs = 0 } = {},
) {
  return new Promise((resolve) => {
    const stdio = capture
      ? ['ignore', 'pipe', 'pipe']
      : ['ignore', quiet ? 'ignore' : 'inherit', quiet ? 'ignore' : 'inherit'];
    const child = spawn(program, args, { cwd, env, stdio, timeout: timeoutMs, killSignal: 'SIGKILL' });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ code: 127, output: String(error.message) }));
    child.on('close', (code, signal) => resolve({ code: code ?? 128, signal, output }));
  });
}

/** Runs a program of an npm package of ours. */
export const runBin = (name, args, options) =>
  run(process.execPath, [join(ROOT, 'node_modules', '.bin', name), ...args], options);

/** Full path of a program, also in the administrator's folders that a plain PATH lacks; null when it is not installed. */
export function findProgram(name) {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']) {
    if (folder === '') continue;
    try {
      const path = join(folder, name);
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return null;
}

import { execFile } from 'node:child_process';

/** Runs a program to its end and answers its stdout. @throws Error with its stderr. */
export function run(program: string, argv: readonly string[], timeoutMs = 60_000): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...argv], { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${argv.join(' ')}: ${stderr.trim() || error.message}`));
    });
  });
}

import { execFile } from 'node:child_process';

/** What went wrong, in one line that can be shown as it is. */
export class LabError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LabError';
  }
}

export interface RunResult {
  /** Exit code; 128 + signal number is not made up: a killed program has code -1. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

/** The environment of everything the lab starts: nothing of the caller leaks in, messages are in English. */
export const BASE_ENV: NodeJS.ProcessEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
};

const DEFAULT_TIMEOUT_MS = 30_000;
const LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Runs a program to its end; argv only, never a shell. A non-zero exit is an answer, not an error.
 * @throws LabError when the program is missing or did not end within `timeoutMs` (it is killed then).
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const raw = await runRaw(argv, options);
  return { code: raw.code, stdout: raw.stdout.toString('utf8'), stderr: raw.stderr };
}

/** Like `run`, with the output as bytes. */
export function runRaw(
  argv: readonly string[],
  options: RunOptions = {},
): Promise<{ code: number; stdout: Buffer; stderr: string }> {
  const [program, ...args] = argv;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program!,
      args,
      {
        cwd: options.cwd,
        env: options.env ?? BASE_ENV,
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: LIMIT_BYTES,
        encoding: 'buffer',
      },
      (error, stdout, stderr) => {
        const failure = error as (Error & { code?: number | string; killed?: boolean }) | null;
        if (failure?.killed) {
          reject(new LabError(`"${argv.join(' ')}" did not end within ${timeoutMs / 1000} s`));
        } else if (typeof failure?.code === 'string') {
          reject(new LabError(`cannot run ${program}: ${failure.code}`, { cause: failure }));
        } else {
          resolve({ code: failure ? (failure.code ?? -1) : 0, stdout, stderr: stderr.toString('utf8') });
        }
      },
    );
    // A program that ends without reading its input must not bring us down with EPIPE.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}

/** Like `run`, but a non-zero exit throws a LabError that carries the last line the program wrote to stderr. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code !== 0) {
    const last = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new LabError(`"${argv.slice(0, 4).join(' ')}" failed (${result.code}): ${last}`);
  }
  return result.stdout;
}

import { type ChildProcess, type SpawnOptions as NodeSpawnOptions, spawn } from 'node:child_process';
import { type LabNames, MEMBER_VARIABLE, netnsPath } from './names.ts';
import { onlyChild } from './processes.ts';
import { BASE_ENV, type RunOptions, type RunResult, run } from './run.ts';

const EXEC_LIMIT_MS = 60_000;

export interface SpawnOptions {
  /** Added to a small base environment; the caller's own environment is not passed on. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly stdio?: NodeSpawnOptions['stdio'];
  /** True puts the process into a session of its own: a Ctrl-C in the terminal does not reach it. */
  readonly detached?: boolean;
}

/** The environment of a process of this lab. */
export function memberEnv(names: LabNames, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...BASE_ENV, [MEMBER_VARIABLE]: names.name, ...env };
}

/** Runs a program in a network namespace to its end; everything else is the machine's. */
export function execInNetns(
  names: LabNames,
  netns: string,
  argv: readonly string[],
  options: Omit<RunOptions, 'env'> = {},
): Promise<RunResult> {
  const enter = ['nsenter', `--net=${netnsPath(netns)}`, '--'];
  return run([...enter, ...argv], { timeoutMs: EXEC_LIMIT_MS, ...options, env: memberEnv(names) });
}

/** Starts a program in a network namespace; everything else is the machine's. The child is the program itself. */
export function spawnInNetns(
  names: LabNames,
  netns: string,
  argv: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  return spawn('nsenter', [`--net=${netnsPath(netns)}`, '--', ...argv], {
    cwd: options.cwd,
    env: memberEnv(names, options.env),
    stdio: options.stdio ?? 'pipe',
    detached: options.detached ?? false,
  });
}

/** The words before a command that make it run inside the host whose PID 1 is `initPid`. */
function enterHost(initPid: number, cwd = '/'): string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid'];
  return ['nsenter', `--target=${initPid}`, ...namespaces, `--wdns=${cwd}`, '--'];
}

/**
 * Starts a program inside a host. The child we hold is nsenter, which waits outside for the program: `kill()` is led
 * to the program itself, the exit code and signal come back, and if nsenter is killed the program dies with it.
 */
export function spawnInHost(
  names: LabNames,
  initPid: number,
  argv: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const [program, ...args] = [...enterHost(initPid, options.cwd), 'setpriv', '--pdeathsig', 'KILL', '--', ...argv];
  const child = spawn(program!, args, {
    env: memberEnv(names, options.env),
    stdio: options.stdio ?? 'pipe',
    detached: options.detached ?? false,
  });
  const killWaiter = child.kill.bind(child);
  child.kill = (signal) => {
    const inner = child.pid === undefined ? null : onlyChild(child.pid);
    // Before the fork there is only nsenter, and ending that is enough.
    if (inner === null || child.exitCode !== null || child.signalCode !== null) return killWaiter(signal);
    try {
      process.kill(inner, signal ?? 'SIGTERM');
      Reflect.set(child, 'killed', true);
    } catch {
      return false;
    }
    // nsenter stops itself together with the program and would sleep through its continuation and its end.
    if (signal === 'SIGCONT' || signal === 'SIGKILL') killWaiter('SIGCONT');
    return true;
  };
  return child;
}

/** Runs a program inside a host to its end. */
export function execInHost(
  names: LabNames,
  initPid: number,
  argv: readonly string[],
  options: Omit<RunOptions, 'env'> = {},
): Promise<RunResult> {
  const { cwd, ...rest } = options;
  // setpriv: when the time is up only nsenter can be killed from here, and the program must not stay.
  const lead = [...enterHost(initPid, cwd), 'setpriv', '--pdeathsig', 'KILL', '--'];
  return run([...lead, ...argv], { timeoutMs: EXEC_LIMIT_MS, ...rest, env: memberEnv(names) });
}

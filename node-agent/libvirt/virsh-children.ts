import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import { StringDecoder } from 'node:string_decoder';

/** How a virsh child ended. `not-started` had no effect; after `deadline` and `aborted` libvirt may still act. */
export type VirshOutcome =
  | { ended: 'exit'; code: number | null; signal: string | null; stdout: string; stderr: string }
  | { ended: 'deadline' | 'aborted'; stdout: string; stderr: string }
  | { ended: 'not-started'; reason: 'missing-program' | 'too-many' | 'aborted'; detail: string };

export interface VirshRunOptions {
  deadlineMs: number;
  signal?: AbortSignal | undefined;
  /** Called once the command is under way; `pid` is null where it has no process of its own. Must not throw. */
  onStart?: ((pid: number | null) => void) | undefined;
}

/** Starts virsh processes and keeps their number bounded: a frozen libvirtd must not gather a crowd of them. */
export interface VirshChildren {
  /** A process that stays (the shell, the events). Counted, never queued. */
  keep(args: readonly string[]): ChildProcessWithoutNullStreams;
  /** Runs one command to its end; waits its turn inside its own deadline. Never rejects. */
  run(args: readonly string[], options: VirshRunOptions): Promise<VirshOutcome>;
  /** How many virsh processes live now. */
  count(): number;
}

const MAX_OUTPUT_CHARS = 8 * 1024 * 1024;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The whole environment of every virsh: English messages, no history file, no start-up files, nobody's PATH. */
export function virshEnvironment(): Record<string, string> {
  const { uid, homedir } = userInfo();
  return {
    PATH,
    LC_ALL: 'C',
    TERM: 'dumb',
    HOME: homedir,
    XDG_RUNTIME_DIR: `/run/user/${uid}`,
    XDG_CACHE_HOME: '/dev/null',
    INPUTRC: '/dev/null',
    VIRSH_HISTSIZE: '0',
  };
}

/** `limit` counts all of them; two places are kept for the shell and the events. */
export function createVirshChildren(config: { virshPath: string; limit: number }): VirshChildren {
  const env = virshEnvironment();
  const waiting: (() => void)[] = [];
  let living = 0;
  let running = 0;
  const places = Math.max(1, config.limit - 2);

  function open(args: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn(config.virshPath, [...args], { env, stdio: 'pipe', cwd: '/' });
    living += 1;
    let counted = true;
    const gone = () => {
      if (counted) living -= 1;
      counted = false;
    };
    child.once('exit', gone);
    child.once('error', gone);
    // A child that died has a closed pipe; that is told by its exit, not by this.
    child.stdin.on('error', () => undefined);
    return child;
  }

  async function run(args: readonly string[], options: VirshRunOptions): Promise<VirshOutcome> {
    const startedAt = performance.now();
    if (running >= places) {
      const turn = await myTurn(options);
      if (turn !== 'free') return turn;
    } else running += 1;
    try {
      if (options.signal?.aborted)
        return { ended: 'not-started', reason: 'aborted', detail: 'cancelled while waiting' };
      const leftMs = Math.max(1, options.deadlineMs - (performance.now() - startedAt));
      return await collect(open(args), { ...options, deadlineMs: leftMs });
    } finally {
      // The place goes straight to the next one in the queue, if any.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  function myTurn(options: VirshRunOptions): Promise<'free' | VirshOutcome> {
    return new Promise((resolve) => {
      const leave = (outcome: 'free' | VirshOutcome) => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
        const at = waiting.indexOf(onFree);
        if (at >= 0) waiting.splice(at, 1);
        resolve(outcome);
      };
      const onFree = () => leave('free');
      const onAbort = () => leave({ ended: 'not-started', reason: 'aborted', detail: 'cancelled while waiting' });
      const timer = setTimeout(
        () =>
          leave({ ended: 'not-started', reason: 'too-many', detail: `${places} virsh commands are waiting already` }),
        options.deadlineMs,
      );
      options.signal?.addEventListener('abort', onAbort);
      waiting.push(onFree);
    });
  }

  return { keep: open, run, count: () => living };
}

function collect(child: ChildProcessWithoutNullStreams, options: VirshRunOptions): Promise<VirshOutcome> {
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    let cut: 'deadline' | 'aborted' | null = null;
    const out = new StringDecoder('utf8');
    const err = new StringDecoder('utf8');
    const stop = (why: 'deadline' | 'aborted') => {
      cut ??= why;
      child.kill('SIGKILL');
    };
    const onAbort = () => stop('aborted');
    const timer = setTimeout(() => stop('deadline'), options.deadlineMs);
    options.signal?.addEventListener('abort', onAbort);
    const finish = (outcome: VirshOutcome) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    child.stdin.end();
    child.stdout.on('data', (chunk: Buffer) => {
      if (stdout.length < MAX_OUTPUT_CHARS) stdout += out.write(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < MAX_OUTPUT_CHARS) stderr += err.write(chunk);
    });
    child.once('error', (error) => finish({ ended: 'not-started', reason: 'missing-program', detail: error.message }));
    child.once('close', (code, signal) =>
      finish(cut === null ? { ended: 'exit', code, signal, stdout, stderr } : { ended: cut, stdout, stderr }),
    );
    if (child.pid !== undefined) options.onStart?.(child.pid);
    if (options.signal?.aborted) onAbort();
  });
}

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { WebvirtError } from '../../common/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Log } from './log.ts';
import { cutAnswer, question, type ShellAnswer } from './virsh-answer.ts';
import type { VirshChildren } from './virsh-children.ts';
import { mustWords } from './virsh-words.ts';

export interface VirshShell {
  start(): void;
  stop(): void;
  /**
   * Sends one command (known words and UUIDs only) and resolves with what virsh printed; errors of the command itself
   * are in `stderr`. Commands wait for each other.
   * @throws {WebvirtError} libvirt-unavailable when there is no connection or no answer in time, bad-request for words.
   */
  ask(words: readonly string[], deadlineMs?: number): Promise<ShellAnswer>;
  up(): boolean;
}

export interface ShellHooks {
  /** The connection stands (again): read everything anew. */
  onUp(): void;
  /** No connection, or no answer in time. `missing` when there is no virsh program. */
  onDown(why: { reason: string; missing: boolean; hung: boolean }): void;
}

interface Asked {
  command: string;
  mark: string;
  deadlineMs: number;
  resolve(answer: ShellAnswer): void;
  reject(error: Error): void;
}

/** An answer larger than this means something is wrong; 20,000 instances in a list are about 1 MB. */
const MAX_ANSWER_CHARS = 64 * 1024 * 1024;
/** virsh connects again by itself; then what we hold may be old, so every such word ends the shell and starts another. */
const LOST =
  /Disconnected from|reconnected to|client socket is closed|End of file while reading|failed to (?:re)?connect|Cannot recv data/i;

/** One virsh that stays open: a read costs a fraction of a millisecond instead of a process. */
export function createVirshShell(
  config: { uri: string; deadlineMs: number; connectDeadlineMs: number },
  deps: { children: VirshChildren; log: Log },
  hooks: ShellHooks,
): VirshShell {
  const nonce = randomBytes(6).toString('hex');
  const queue: Asked[] = [];
  let child: ChildProcessWithoutNullStreams | null = null;
  let current: Asked | null = null;
  let deadline: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isUp = false;
  let stopped = true;
  let failures = 0;
  let asked = 0;
  let stdout = '';
  let stderr = '';

  function open(): void {
    retry = undefined;
    stdout = '';
    stderr = '';
    const mine = deps.children.keep(['-q', '-c', config.uri]);
    child = mine;
    const out = new StringDecoder('utf8');
    const err = new StringDecoder('utf8');
    // A late event of a shell that was given up must not touch the next one.
    mine.stdout.on('data', (chunk: Buffer) => {
      if (child === mine) read(out.write(chunk), '');
    });
    mine.stderr.on('data', (chunk: Buffer) => {
      if (child === mine) read('', err.write(chunk));
    });
    mine.once('error', (error) => {
      if (child === mine) down(error.message, 'code' in error && error.code === 'ENOENT', false);
    });
    mine.once('close', () => {
      if (child === mine) down(stderr.trim() || 'virsh ended', false, false);
    });
    // The first mark answers once virsh is connected.
    send({
      command: 'echo',
      mark: mark(),
      deadlineMs: config.connectDeadlineMs,
      resolve: () => {
        isUp = true;
        failures = 0;
        hooks.onUp();
      },
      reject: () => undefined,
    });
  }

  function mark(): string {
    asked += 1;
    return `wv${nonce}${asked}z`;
  }

  function send(next: Asked): void {
    current = next;
    stdout = '';
    stderr = '';
    deadline = setTimeout(
      () => down(`virsh did not answer within ${next.deadlineMs} ms`, false, true),
      next.deadlineMs,
    );
    child?.stdin.write(question(next.command, next.mark));
  }

  function read(out: string, err: string): void {
    stdout += out;
    stderr += err;
    if (current === null) return;
    if (stdout.length > MAX_ANSWER_CHARS) {
      down('virsh sent more than can be true', false, false);
      return;
    }
    if (!stdout.includes(current.mark) || !stderr.includes(current.mark)) return;
    const answer = cutAnswer(stdout, stderr, current.command, current.mark);
    if (answer === null) return;
    const done = current;
    current = null;
    clearTimeout(deadline);
    if (LOST.test(answer.stderr)) {
      done.reject(unavailable(answer.stderr));
      down(answer.stderr, false, false);
      return;
    }
    done.resolve(answer);
    // Resolving the first mark calls `onUp`, which may have asked already.
    const next = current === null ? queue.shift() : undefined;
    if (next !== undefined) send(next);
  }

  function down(reason: string, missing: boolean, hung: boolean): void {
    clearTimeout(deadline);
    const old = child;
    child = null;
    isUp = false;
    old?.kill('SIGKILL');
    const waiting = current === null ? [] : [current];
    waiting.push(...queue.splice(0));
    current = null;
    for (const one of waiting) one.reject(unavailable(reason));
    if (stopped) return;
    failures += 1;
    retry = setTimeout(open, backoffMs(failures));
    hooks.onDown({ reason, missing, hung });
  }

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      open();
    },
    stop() {
      stopped = true;
      clearTimeout(retry);
      down('the agent stops', false, false);
    },
    ask(words, deadlineMs = config.deadlineMs) {
      return new Promise((resolve, reject) => {
        const command = mustWords(words).join(' ');
        if (!isUp) return reject(unavailable('there is no connection to libvirt'));
        const next: Asked = { command, mark: mark(), deadlineMs, resolve, reject };
        if (current === null) send(next);
        else queue.push(next);
      });
    },
    up: () => isUp,
  };
}

function unavailable(reason: string): WebvirtError {
  return new WebvirtError('libvirt-unavailable', `libvirt does not answer: ${reason}`);
}

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { ENTRY_FIELDS } from './entry.ts';

/** An entry that is longer than this as JSON is not taken apart. */
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;
const MAX_SAID_CHARS = 2_048;
const BUSY_MS = 20;

/** Where reading begins: at an entry, at a time (µs since 1970), or so many entries before the end. */
export type From = { cursor: string } | { realtimeUs: number } | { past: number };

export interface ReaderConfig {
  journalctl: string;
  directory: string;
  /** True for a journalctl that does not know `--boot=all`. */
  isOld: boolean;
}

export interface ReaderHandlers {
  /** One entry as JSON. */
  onEntry(text: string): void;
  /** An entry that is too large, with its beginning. */
  onTooLarge(head: string, bytes: number): void;
  /** Called once. `isMissing`: there is no such program. */
  onEnd(why: { said: string; isMissing: boolean }): void;
  isBusy(): boolean;
}

export interface Reader {
  end(): void;
}

/** Starts journalctl and hands on what it prints, at the pace of whoever takes it: the rest stays in the journal. */
export function startReader(config: ReaderConfig, from: From, on: ReaderHandlers): Reader {
  const argv = [
    ...['--output=json', '--follow', '--all', '--quiet', '--no-pager', `--output-fields=${ENTRY_FIELDS.join(',')}`],
    // Left out, --follow means this boot only: the last words of the boot before would be missed.
    config.isOld ? '--merge' : '--boot=all',
    ...(config.directory === '' ? [] : [`--directory=${config.directory}`]),
    ...('past' in from ? [`--lines=${from.past}`] : ['--no-tail']),
    // Not --after-cursor: it passes over an entry when the one it names is not there any more.
    ...('cursor' in from ? [`--cursor=${from.cursor}`] : []),
    ...('realtimeUs' in from ? [`--since=@${Math.floor(from.realtimeUs / 1e6)}`] : []),
  ];
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(config.journalctl, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', SYSTEMD_COLORS: '0' },
  });
  let held: Buffer[] = [];
  let heldBytes = 0;
  let skippedBytes = 0;
  let said = '';
  let ended = false;
  let pause: NodeJS.Timeout | undefined;

  function take(bytes: Buffer): void {
    let from = 0;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      held.push(bytes.subarray(from, at));
      from = at + 1;
      give();
    }
    const rest = bytes.subarray(from);
    heldBytes += rest.length;
    if (heldBytes <= MAX_ENTRY_BYTES) held.push(rest);
    else skippedBytes += rest.length;
  }

  function give(): void {
    const text = Buffer.concat(held).toString();
    const bytes = skippedBytes;
    held = [];
    heldBytes = 0;
    skippedBytes = 0;
    if (ended) return;
    if (bytes > 0) on.onTooLarge(text, Buffer.byteLength(text) + bytes);
    else if (text !== '') on.onEntry(text);
  }

  function finish(isMissing: boolean): void {
    clearTimeout(pause);
    if (ended) return;
    ended = true;
    on.onEnd({ said: said.trim(), isMissing });
  }

  child.stdout.on('data', (bytes: Buffer) => {
    take(bytes);
    if (!on.isBusy()) return;
    child.stdout.pause();
    const again = () => {
      if (on.isBusy()) pause = setTimeout(again, BUSY_MS);
      else child.stdout.resume();
    };
    pause = setTimeout(again, BUSY_MS);
  });
  child.stderr.on('data', (bytes: Buffer) => {
    if (said.length < MAX_SAID_CHARS) said += String(bytes);
  });
  child.once('error', (error: NodeJS.ErrnoException) => {
    said ||= error.message;
    finish(error.code === 'ENOENT' || error.code === 'EACCES');
  });
  child.once('close', () => finish(false));
  return {
    end() {
      ended = true;
      clearTimeout(pause);
      child.kill('SIGTERM');
    },
  };
}

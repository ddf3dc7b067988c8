import { StringDecoder } from 'node:string_decoder';
import { WebvirtError } from '../../common/errors.ts';
import { createTerminalFilter } from '../../common/pure/terminal/filter.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { answerOf, connect, type LiveSocket } from '../net/socket.ts';
import type { CliCall, CliCommand } from './command.ts';
import { resolveInstance } from './resolve.ts';

/** Ctrl-], as virsh console has it. */
const LEAVE = '\x1d';
const PIECE_CHARS = 2_048;
const LIMIT_UNWRITTEN_BYTES = 1024 * 1024;
/** What a guest may have left behind: colours, a hidden cursor, another screen, the mouse, bracketed pasting. */
const RESTORE = '\x1b[0m\x1b[?25h\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l';

export const serialConsole: CliCommand = {
  words: ['console'],
  usage: 'webvirt console NAME-OR-UUID [--look] [--force]',
  summary:
    'Open the serial console of an instance in this terminal; Ctrl-] leaves. Only shows it when input is no terminal.',
  flags: {
    look: { type: 'boolean', describe: 'only look, send no keys' },
    force: { type: 'boolean', describe: 'take it from whoever has it open on the host' },
  },
  async run(call) {
    const [name, more] = call.args;
    if (name === undefined || more !== undefined)
      throw new WebvirtError('bad-request', 'webvirt console takes the name or UUID of one instance.');
    const instance = await resolveInstance(call.config, name);
    const socket = await connect(call.config);
    const write = process.stdin.isTTY === true && call.flags['look'] !== true;
    try {
      return await follow(call, socket, { id: instance.id, name: visibleText(instance.name), write });
    } finally {
      if (write) {
        process.stdin.setRawMode(false);
        process.stdin.pause();
      }
      if (process.stdout.isTTY) process.stdout.write(RESTORE);
      socket.close();
    }
  },
};

interface Wanted {
  id: string;
  name: string;
  write: boolean;
}

/** Resolves with the exit code when the reader leaves or the session ends. */
function follow({ flags, signal }: CliCall, socket: LiveSocket, { id, name, write }: Wanted): Promise<number> {
  return new Promise((resolve, reject) => {
    const filter = process.stdout.isTTY ? createTerminalFilter() : (text: string) => text;
    const decoder = new StringDecoder('utf8');
    let opened: string | null = null;
    let force = flags['force'] === true;
    let unwritten = 0;
    let keys = '';
    let sending = false;

    // A raw terminal does not go back to its first column by itself.
    const note = (text: string) =>
      void process.stderr.write(`${write ? '\r\n' : ''}${visibleText(text)}${write ? '\r' : ''}\n`);

    function show(bytes: Buffer, skipped: number): void {
      if (process.stdout.writableLength > LIMIT_UNWRITTEN_BYTES) {
        unwritten += bytes.length + skipped;
        return;
      }
      if (skipped + unwritten > 0) note(`[${skipped + unwritten} bytes skipped: more came than could be shown]`);
      unwritten = 0;
      process.stdout.write(filter(decoder.write(bytes)));
    }

    async function open(): Promise<void> {
      const wanted = { instance: id, write, force };
      const answer = await answerOf<{ console: string; recent: string; write: boolean }>((ack) =>
        socket.emit('console:open', wanted, ack),
      );
      force = false;
      opened = answer.console;
      if (write && !answer.write) note('You may only look at this console.');
      show(Buffer.from(answer.recent, 'base64'), 0);
    }

    async function send(): Promise<void> {
      if (sending) return;
      sending = true;
      while (keys !== '' && opened !== null) {
        let end = Math.min(PIECE_CHARS, keys.length);
        // Not between the halves of one character.
        if (end < keys.length && /[\ud800-\udbff]/.test(keys[end - 1]!)) end -= 1;
        const data = keys.slice(0, end);
        keys = keys.slice(end);
        const console = opened;
        try {
          await answerOf<null>((ack) => socket.timeout(10_000).emit('console:input', { console, data }, late(ack)));
        } catch (error) {
          keys = '';
          note(`[${(error as Error).message}]`);
        }
      }
      sending = false;
    }

    socket.on('console:data', ({ console, data, skipped }) => {
      if (console === opened) show(Buffer.from(data, 'base64'), skipped);
    });
    socket.on('console:state', ({ hostName, ended, code }) => {
      if (ended === null) note(`[${name} on ${hostName}${write ? '; Ctrl-] leaves' : ''}]`);
      else note(`[${ended}${code === 'busy' ? ' --force takes it over.' : ' It is tried again by itself.'}]`);
    });
    socket.on('signed-out', () => {
      note('[Signed out: the token was removed or expired.]');
      resolve(1);
    });
    socket.on('disconnect', (reason) => {
      if (reason === 'io client disconnect') return;
      opened = null;
      keys = '';
      note('[The manager is not reached; connecting again…]');
    });
    socket.on('connect', () => void open().catch((error: Error) => socket.connected && reject(error)));
    signal.addEventListener('abort', () => resolve(0));
    if (write) {
      const typed = new StringDecoder('utf8');
      process.stdin.setRawMode(true);
      process.stdin.resume();
      process.stdin.on('end', () => resolve(0));
      process.stdin.on('data', (bytes: Buffer) => {
        const text = typed.write(bytes);
        const at = text.indexOf(LEAVE);
        if (at >= 0) {
          note('');
          return resolve(0);
        }
        if (opened === null) return;
        keys += text;
        void send();
      });
    }
    open().catch(reject);
  });
}

/** An answer that never comes is an error as well. */
function late<T>(ack: (answer: T) => void) {
  return (error: Error | null, answer: T) =>
    ack(
      error === null
        ? answer
        : ({ err: 'timeout', message: 'The manager did not take these keys in time.', data: null } as T),
    );
}

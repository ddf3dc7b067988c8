import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import type { NumberedEvent, OutputEvent, Session } from '../../common/model/compute.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { followSession } from '../net/compute-session.ts';
import { request } from '../net/request.ts';
import { connect } from '../net/socket.ts';
import { jsonText } from '../show/json-text.ts';
import { deathText, type OutputSinks, showEvent, textFor } from '../show/output-event.ts';
import { size } from '../show/values.ts';
import type { CliCall, CliCommand } from './command.ts';
import { newOpId, textFlag } from './values.ts';

const SUFFIXES: Record<string, string> = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/svg+xml': 'svg' };
const INTERRUPTED = 130;
const TITLE_CHARS = 60;

export const run: CliCommand = {
  words: ['run'],
  usage: "webvirt run 'CODE' | webvirt run --file F | … | webvirt run   [--kernel sage|python] [--host H] [--save DIR]",
  summary:
    'Run code in a fresh session on the least loaded host and show what it gives as it comes. Ctrl-C interrupts it; the exit code is 0 only when all went well.',
  flags: {
    kernel: { type: 'string', describe: 'sage or python (python for a file that ends in .py, else sage)' },
    host: { type: 'string', describe: 'name or id of the host that computes' },
    file: { type: 'string', short: 'f', describe: 'read the code from a file' },
    save: { type: 'string', describe: 'directory for plots' },
    session: { type: 'string', describe: 'run it in this session, and leave that open' },
    keep: { type: 'boolean', describe: 'leave the session open and say its id' },
  },
  async run(call) {
    const code = await codeOf(call);
    const given = textFlag(call, 'session');
    const session =
      given === undefined
        ? await open(call, code)
        : await request<Session>(call.config, 'GET', `/api/v1/compute/sessions/${encodeURIComponent(given)}`);
    const keeps = given !== undefined || call.flags['keep'] === true;
    try {
      return await compute(call, session, code);
    } finally {
      if (keeps) call.note(`The session stays open: webvirt run --session ${session.id} 'CODE'`);
      else await end(call, session.id);
    }
  },
};

async function codeOf(call: CliCall): Promise<string> {
  const file = textFlag(call, 'file');
  if (call.args.length > 1 || (file !== undefined && call.args.length > 0)) {
    throw new WebvirtError('bad-request', `Put the code into one pair of quotes. Usage: ${run.usage}`);
  }
  if (file !== undefined) {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code;
      throw new WebvirtError('bad-request', `${file} cannot be read (${why}).`, {}, { cause: error });
    }
  }
  if (call.args[0] !== undefined && call.args[0] !== '-') return call.args[0];
  if (process.stdin.isTTY === true && call.args[0] === undefined) {
    throw new WebvirtError('bad-request', `There is no code. Usage: ${run.usage}`);
  }
  return readAll(process.stdin);
}

async function open(call: CliCall, code: string): Promise<Session> {
  const host = textFlag(call, 'host');
  const kernel = textFlag(call, 'kernel') ?? (textFlag(call, 'file')?.endsWith('.py') ? 'python' : 'sage');
  const title = visibleText(code.trim().split('\n')[0] ?? '').slice(0, TITLE_CHARS);
  const body = { kernel, title, opId: newOpId(), ...(host === undefined ? {} : { host }) };
  try {
    return await request<Session>(call.config, 'POST', '/api/v1/compute/sessions', body);
  } catch (error) {
    // Nothing is computed in another language unasked: 2^64 is a power in one and an exclusive or in the other.
    if (!isWebvirtError(error, 'no-kernel') || textFlag(call, 'kernel') !== undefined || kernel !== 'sage') throw error;
    throw new WebvirtError('no-kernel', `${error.message} For plain Python: --kernel python. See: webvirt ls compute`);
  }
}

/** Runs the code as one cell and shows its events until it has ended. Resolves with the exit code. */
async function compute(call: CliCall, session: Session, code: string): Promise<number> {
  const base = `/api/v1/compute/sessions/${session.id}`;
  const socket = await connect(call.config);
  let interrupts = 0;
  const onInterrupt = () => {
    interrupts += 1;
    if (interrupts === 1) {
      call.note('Interrupting… (once more stops the session)');
      request(call.config, 'POST', `${base}/interrupt`, {}).catch((error: Error) => call.note(error.message));
    } else void end(call, session.id);
  };
  process.on('SIGINT', onInterrupt);
  try {
    const { cell } = await request<{ cell: number }>(call.config, 'POST', `${base}/cells`, { code, opId: newOpId() });
    let exitCode = 1;
    const sinks = sinksOf(call, cell);
    await followSession(socket, session.id, session.nextSeq, {
      onHole: (events) => call.note(`${events} earlier events of this session are not kept any more.`),
      onEvent({ event, ...rest }: NumberedEvent) {
        if (event.type !== 'died' && event.cell !== cell) return false;
        if (call.json) call.out(jsonText({ session: session.id, ...rest, event }));
        else showEvent(event, sinks);
        const over = exitCodeOf(call, event);
        exitCode = over ?? exitCode;
        // A death is told after the end of the cell that it broke off, with its cause.
        return over !== null && !(event.type === 'ended' && event.status === 'died');
      },
    });
    return exitCode;
  } finally {
    process.off('SIGINT', onInterrupt);
    socket.close();
  }
}

/** The exit code with which an event ends the command; null while it goes on. */
function exitCodeOf(call: CliCall, event: OutputEvent): number | null {
  if (event.type === 'died') {
    if (!call.json) call.note(deathText(event.death));
    return 1;
  }
  if (event.type !== 'ended') return null;
  if (event.status === 'interrupted' && !call.json) call.note('Interrupted.');
  return event.status === 'ok' ? 0 : event.status === 'interrupted' ? INTERRUPTED : 1;
}

function sinksOf(call: CliCall, cell: number): OutputSinks {
  const folder = textFlag(call, 'save');
  let plots = 0;
  return {
    out: (text) => void process.stdout.write(textFor(process.stdout, text)),
    err: (text) => void process.stderr.write(textFor(process.stderr, text)),
    image(type, data) {
      if (folder === undefined) return `A plot was made (${type}, ${size(data.length)}); --save DIR keeps it.`;
      plots += 1;
      const path = join(folder, `plot-${cell}-${plots}.${SUFFIXES[type] ?? 'bin'}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, data);
      return `A plot was saved: ${path}`;
    },
  };
}

/** Ends a session of ours; that it has ended already is no error. */
async function end(call: CliCall, id: string): Promise<void> {
  await request(call.config, 'DELETE', `/api/v1/compute/sessions/${id}`).catch((error: Error) => {
    if (!isWebvirtError(error, 'session-ended')) call.note(`The session ${id} could not be ended: ${error.message}`);
  });
}

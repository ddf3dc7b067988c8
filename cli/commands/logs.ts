import { setTimeout } from 'node:timers/promises';
import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import type { Line } from '../../common/model/line.ts';
import type { LinesBatch, TailRequest } from '../../common/wire/live.ts';
import { request } from '../net/request.ts';
import { answerOf, connect } from '../net/socket.ts';
import { jsonText } from '../show/json-text.ts';
import { showLine } from '../show/line.ts';
import type { CliCall, CliCommand } from './command.ts';
import { FILTER_FLAGS, filterOf, RANGE_FLAGS, rangeOf } from './line-filter.ts';

const RETRY_MS = 500;
const BACKLOG_DEFAULT = 20;
const BACKLOG_MOST = 5000;

export const logs: CliCommand = {
  words: ['logs'],
  usage:
    'webvirt logs [-f] [-n COUNT] [--q FILTER] [--level L] [--host H] [--instance NAME-OR-UUID] [--source S] [--job ID] [--session ID] [--saved NAME] [--from T] [--to T]',
  summary: 'Show lines of all hosts, oldest first; with -f stay and show new ones as they are stored.',
  flags: {
    follow: { type: 'boolean', short: 'f', describe: 'keep showing new lines' },
    lines: {
      type: 'string',
      short: 'n',
      describe: `how many old lines come first (${BACKLOG_DEFAULT}, at most ${BACKLOG_MOST})`,
    },
    q: { type: 'string', describe: 'filter: words, "phrases", field:value, -not, /regex/' },
    ...FILTER_FLAGS,
    ...RANGE_FLAGS,
  },
  async run(call) {
    const filter = await filterOf(call);
    const backlog = countOf(call.flags['lines']);
    const range = rangeOf(call, Date.now());
    if (call.flags['follow'] !== true) return once(call, { ...filter, ...range }, backlog);
    if (Object.keys(range).length > 0)
      throw new WebvirtError('bad-request', 'New lines have no --from and --to: leave out -f, or use webvirt search.');
    return follow(call, filter, backlog);
  },
};

function countOf(text: unknown): number {
  if (text === undefined) return BACKLOG_DEFAULT;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0 || count > BACKLOG_MOST) {
    throw new WebvirtError('bad-request', `-n takes a whole number from 0 to ${BACKLOG_MOST}, not "${String(text)}".`);
  }
  return count;
}

function show(call: CliCall, line: Line): void {
  call.out(call.json ? jsonText(line) : showLine(line, call.config.color));
}

async function once(call: CliCall, filter: Record<string, string | number>, limit: number): Promise<number> {
  if (limit === 0) return 0;
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filter)) query.set(name, String(value));
  const page = await request<{ lines: Line[] }>(call.config, 'GET', `/api/v1/logs?${query}`);
  for (const line of page.lines.reverse()) show(call, line);
  return 0;
}

async function follow(call: CliCall, filter: Record<string, string>, backlog: number): Promise<number> {
  const socket = await connect(call.config);
  let position: string | undefined;
  // After a lost connection the stream goes on behind the last line that was shown.
  const tail = async () => {
    const wanted: TailRequest = {
      id: 'cli',
      ...filter,
      ...(position === undefined ? { backlog } : { after: position }),
    };
    const begun = await answerOf<{ position: string }>((ack) => socket.emit('logs:tail', wanted, ack));
    // Without old lines nothing may be shown before the connection is lost; what comes meanwhile is still wanted.
    if (backlog === 0) position ??= begun.position;
  };
  /** A manager that was just started opens its store first. */
  const tailWhenReady = async (): Promise<void> => {
    try {
      await tail();
    } catch (error) {
      const early = isWebvirtError(error, 'store-unavailable') || isWebvirtError(error, 'not-ready');
      if (!early || call.signal.aborted) throw error;
      await setTimeout(RETRY_MS);
      if (socket.connected) await tailWhenReady();
    }
  };
  socket.on('logs:lines', (batch: LinesBatch) => {
    if (batch.skipped > 0) call.note(`${batch.skipped} lines skipped: this terminal is too slow; they are stored.`);
    for (const line of batch.lines) show(call, line);
    position = batch.position;
  });
  let reconnecting = false;
  const ended = new Promise<number>((resolve) => {
    call.signal.addEventListener('abort', () => resolve(0));
    socket.on('signed-out', () => {
      call.note('Signed out: the token was removed or expired.');
      resolve(1);
    });
    socket.on('disconnect', (reason) => {
      reconnecting = true;
      call.note(`The connection is lost (${reason}); reconnecting…`);
    });
    socket.on('connect', () => {
      if (!reconnecting) return;
      call.note('Connected again.');
      tailWhenReady().catch((error: Error) => {
        // The next connection begins it again.
        if (!socket.connected) return;
        call.note(error.message);
        resolve(1);
      });
    });
  });
  try {
    await tailWhenReady();
    return await ended;
  } finally {
    socket.close();
  }
}

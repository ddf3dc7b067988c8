import { isErrorCode, WebvirtError } from '../../common/errors.ts';
import type { LinesFound, SearchRequest } from '../../common/wire/live.ts';
import { request } from '../net/request.ts';
import { answerOf, connect, type LiveSocket } from '../net/socket.ts';
import { jsonText } from '../show/json-text.ts';
import { showLine } from '../show/line.ts';
import { createLiveLine } from '../show/live-line.ts';
import type { CliCall, CliCommand } from './command.ts';
import { exportTo } from './export.ts';
import { FILTER_FLAGS, filterOf, RANGE_FLAGS, rangeOf } from './line-filter.ts';
import { countFlag, textFlag } from './values.ts';

const FORMATS = ['ndjson', 'csv', 'text'];
const COUNT_DEFAULT = 100;
/** Matches that are asked for in one go. */
const PIECE_LINES = 2_000;

export const search: CliCommand = {
  words: ['search'],
  usage:
    'webvirt search [FILTER] [--from T] [--to T] [-n COUNT] [--count] [--export FORMAT] [--saved NAME] [--level L] [--host H] …',
  summary: 'Search the stored lines, newest first, as far back as it takes; matches are shown as they are found.',
  flags: {
    ...FILTER_FLAGS,
    ...RANGE_FLAGS,
    lines: { type: 'string', short: 'n', describe: `most lines (${COUNT_DEFAULT}; of an export all)` },
    count: { type: 'boolean', describe: 'say only how many there are' },
    export: {
      type: 'string',
      describe: `write all of them, oldest first, as ${FORMATS.join(', ')}; ends with 3 when not whole`,
    },
  },
  async run(call) {
    const q = call.args.join(' ');
    const filter = await filterOf(call, q === '' ? {} : { q });
    const range = rangeOf(call, Date.now());
    const limit = countFlag(call, 'lines');
    const format = textFlag(call, 'export');
    const query = new URLSearchParams(filter);
    for (const [name, ms] of Object.entries(range)) query.set(name, String(ms));
    if (call.flags['count'] === true) {
      const found = await request<Counted>(call.config, 'GET', `/api/v1/logs/count?${query}`);
      call.out(call.json ? jsonText(found) : String(found.count));
      noteUnreadable(call, found.unreadable);
      return 0;
    }
    if (format === undefined) return find(call, { ...filter, ...range }, limit ?? COUNT_DEFAULT);
    if (!FORMATS.includes(format))
      throw new WebvirtError('bad-request', `--export takes ${FORMATS.join(', ')}; not "${format}".`);
    query.set('format', format);
    if (limit !== undefined) query.set('limit', String(limit));
    return exportTo(call, `/api/v1/logs/export?${query}`, process.stdout);
  },
};

type Lost = NonNullable<LinesFound['unreadable']>;

interface Counted {
  count: number;
  unreadable?: Lost;
}

function noteUnreadable(call: CliCall, unreadable: Lost = []): void {
  for (const { lines, fromMs, toMs } of unreadable) {
    const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
    call.note(`${lines} lines of ${from} to ${to} cannot be read: the manager's disk lost them.`);
  }
}

/** Exit code 0 when something was found, else 1, as of grep. */
async function find(call: CliCall, filter: Omit<SearchRequest, 'id'>, limit: number): Promise<number> {
  const socket = await connect(call.config);
  const progress = createLiveLine(process.stderr);
  let [shown, cursor] = [0, undefined as string | undefined];
  const onFound = ({ lines, searchedBackToMs, unreadable = [], done }: LinesFound) => {
    progress.clear();
    for (const line of lines) call.out(call.json ? jsonText(line) : showLine(line, call.config.color, true));
    shown += lines.length;
    noteUnreadable(call, unreadable);
    // Where there is no terminal only the lines are of use.
    if (!done && searchedBackToMs !== null && process.stderr.isTTY)
      progress.show(`${shown} found, looked back to ${new Date(searchedBackToMs).toISOString()} …`, '');
  };
  try {
    while (shown < limit) {
      const wanted: SearchRequest = { ...filter, id: 'cli', limit: Math.min(PIECE_LINES, limit - shown) };
      const end = await piece(socket, cursor === undefined ? wanted : { ...wanted, cursor }, call.signal, onFound);
      if (end === null) return 1;
      if (end.next === null) return shown > 0 ? 0 : 1;
      cursor = end.next;
    }
    call.note(`There are more: -n shows more of them, --count says how many.`);
    return 0;
  } finally {
    progress.clear();
    socket.close();
  }
}

/** One search to its end; null when it was cancelled by Ctrl-C. */
async function piece(
  socket: LiveSocket,
  wanted: SearchRequest,
  signal: AbortSignal,
  onFound: (found: LinesFound) => void,
): Promise<LinesFound | null> {
  let listener: (found: LinesFound) => void = () => {};
  const ended = new Promise<LinesFound | null>((resolve, reject) => {
    listener = (found) => {
      onFound(found);
      if (found.error !== undefined)
        reject(new WebvirtError(isErrorCode(found.error.code) ? found.error.code : 'internal', found.error.message));
      else if (found.done) resolve(found);
    };
    socket.on('logs:found', listener);
    socket.once('disconnect', () =>
      reject(new WebvirtError('host-unreachable', 'The connection is lost; search again.')),
    );
    signal.addEventListener('abort', () => {
      socket.emit('logs:cancel', { id: wanted.id });
      resolve(null);
    });
  });
  // Whatever happens first is the outcome; the other must not go unheard.
  ended.catch(() => undefined);
  try {
    await answerOf<null>((ack) => socket.emit('logs:search', wanted, ack));
    return await ended;
  } finally {
    socket.off('logs:found', listener);
    socket.removeAllListeners('disconnect');
  }
}

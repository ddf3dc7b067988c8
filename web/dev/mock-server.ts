/**
 * A pretended manager for developing the console and for the tests of the console alone: invented data, the real
 * envelope, the real socket events. It is not shipped and nothing imports it.
 * `npx tsx web/dev/mock-server.ts [--port 4611] [--hosts 8] [--instances 60] [--rate 8] [--still]`
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Server, type Socket } from 'socket.io';
import { isWebvirtError } from '../../common/errors.ts';
import type { Line } from '../../common/model/line.ts';
import { diff } from '../../common/pure/patch/diff.ts';
import { answer, type MockState, matcherOf, readList } from './mock-api.ts';
import { controlWorld } from './mock-control.ts';
import { createWorld } from './mock-data.ts';
import { sendFile } from './mock-files.ts';
import { makeLine } from './mock-lines.ts';
import { serveSearches } from './mock-logs.ts';

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '4611' },
    hosts: { type: 'string', default: '8' },
    instances: { type: 'string', default: '60' },
    rate: { type: 'string', default: '8' },
    'move-ms': { type: 'string', default: '12000' },
    'no-images': { type: 'boolean', default: false },
    still: { type: 'boolean', default: false },
    dist: { type: 'string', default: fileURLToPath(new URL('../../dist/web', import.meta.url)) },
  },
});
const KEPT_LINES = 1_200_000;

const world = createWorld({ hosts: Number(flags.hosts), instances: Number(flags.instances), nowMs: Date.now() });
if (flags['no-images']) world.images = [];
const versions = new Map<string, { version: number; body: unknown }>();
const tails = new Map<string, { socket: Socket; id: string; fits: (line: Line) => boolean }>();
let base = 0;
let signedIn = false;

const state: MockState = {
  world,
  calls: [],
  changed,
  addLines,
  password: 'mock',
  jobMs: 1_200,
  searchMs: 60,
  moveMs: Number(flags['move-ms']),
};
const server = createServer((request, response) => void handle(request, response));
const io = new Server(server, { serveClient: false, perMessageDeflate: false });

function changed(uri: string): void {
  const known = versions.get(uri);
  if (known === undefined) return;
  const body = readList(world, uri);
  const patch = diff(known.body, body);
  if (patch.length === 0) return;
  known.body = body;
  known.version += 1;
  io.to(uri).emit('change', { uri, version: known.version, patch });
}

function addLines(lines: Line[]): void {
  world.lines.push(...lines);
  if (world.lines.length > KEPT_LINES) base += world.lines.splice(0, KEPT_LINES / 4).length;
  for (const tail of tails.values()) {
    const hit = lines.filter(tail.fits);
    if (hit.length > 0) tail.socket.emit('logs:lines', { id: tail.id, lines: hit, skipped: 0, position: position() });
  }
}

const position = () => String(base + world.lines.length);

io.on('connection', (socket) => {
  if (!signedIn) {
    socket.disconnect(true);
    return;
  }
  socket.on('subscribe', ({ uri }: { uri: string }, ack: (answer: unknown) => void) => {
    let entry = versions.get(uri);
    if (entry === undefined) {
      entry = { version: 1, body: readList(world, uri) };
      versions.set(uri, entry);
    }
    void socket.join(uri);
    ack({ err: null, data: entry });
  });
  socket.on(
    'logs:tail',
    (request: Record<string, string> & { backlog?: number; id: string }, ack: (answer: unknown) => void) => {
      try {
        const fits = matcherOf(request);
        tails.set(`${socket.id}/${request.id}`, { socket, id: request.id, fits });
        const after = request['after'] === undefined ? null : Number(request['after']) - base;
        const found =
          after === null
            ? world.lines.filter(fits).slice(-(request.backlog ?? 500))
            : world.lines.slice(Math.max(0, after)).filter(fits);
        ack({ err: null, data: { position: position() } });
        socket.emit('logs:lines', {
          id: request.id,
          lines: found,
          skipped: 0,
          position: position(),
          ...(after === null ? { backlog: true } : {}),
        });
      } catch (error) {
        ack({
          err: isWebvirtError(error) ? error.code : 'internal',
          message: error instanceof Error ? error.message : '',
          data: null,
        });
      }
    },
  );
  serveSearches(
    socket,
    () => world,
    () => state.searchMs,
  );
  socket.on('logs:untail', ({ id }: { id: string }) => tails.delete(`${socket.id}/${id}`));
  socket.on('disconnect', () => {
    for (const [key, tail] of tails) if (tail.socket === socket) tails.delete(key);
  });
});

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://mock');
  if (url.pathname.startsWith('/socket.io')) return;
  if (url.pathname.startsWith('/mock/')) return control(url.pathname, await bodyOf(request), response);
  if (!url.pathname.startsWith('/api/')) return sendFile(flags.dist, url.pathname, response);
  const body = await bodyOf(request);
  if (request.method !== 'GET') state.calls.push({ method: request.method ?? '', path: url.pathname, body });
  try {
    if (url.pathname === '/api/v1/sign-in') {
      if (body['password'] !== state.password)
        return send(response, 401, {
          err: 'bad-credentials',
          message: 'The e-mail address or the password is wrong.',
          data: null,
        });
      signedIn = true;
      return send(response, 200, { err: null, data: null });
    }
    if (!signedIn) return send(response, 401, { err: 'not-signed-in', message: 'Sign in first.', data: null });
    if (url.pathname === '/api/v1/sign-out') {
      signedIn = false;
      return send(response, 200, { err: null, data: null });
    }
    if (url.pathname === '/api/v1/me')
      return send(response, 200, {
        err: null,
        data: { email: 'admin@localhost', role: 'admin', csrfToken: 'mock-csrf', version: '0.1.0' },
      });
    const { status, data } = answer(state, request.method ?? 'GET', url, body);
    if (url.pathname === '/api/v1/logs/export') response.writeHead(status).end(data as string);
    else send(response, status, { err: null, data });
  } catch (error) {
    if (!isWebvirtError(error)) throw error;
    send(response, error.status, { err: error.code, message: error.publicMessage, data: null });
  }
}

/** What a test may do to this server from outside. */
function control(path: string, body: Record<string, unknown>, response: ServerResponse): void {
  if (path === '/mock/sign-in') signedIn = true;
  else if (path === '/mock/drop') io.disconnectSockets(true);
  else if (path === '/mock/search-ms') state.searchMs = Number(body['ms']);
  else if (path === '/mock/skip')
    for (const tail of tails.values())
      tail.socket.emit('logs:lines', {
        id: tail.id,
        lines: [makeLine(world, Date.now())],
        skipped: Number(body['count']),
        position: position(),
      });
  else if (!controlWorld(state, path, body)) {
    send(response, 404, {});
    return;
  }
  send(response, 200, { calls: state.calls, instances: world.instances.map(({ id, name }) => ({ id, name })) });
}

const HISTORY = 6_000;
const start = Date.now();
world.lines.push(
  ...Array.from({ length: HISTORY }, (_, index) =>
    makeLine(world, start - Math.round(((HISTORY - index) ** 1.1 / HISTORY ** 1.1) * 900_000)),
  ),
);
world.lines.splice(5_950, 0, {
  ...makeLine(world, start - 9_000),
  source: 'agent',
  level: 'warn',
  message: 'gap',
  fields: { gap: { from: 4_100, to: 4_136, reason: 'spool cap reached', bytes: 18_204 } },
});

if (!flags.still) {
  const rate = Number(flags.rate);
  const perTick = Math.max(1, Math.round(rate / 20));
  setInterval(
    () => addLines(Array.from({ length: perTick }, () => makeLine(world, Date.now()))),
    rate >= 20 ? 50 : 1_000 / rate,
  );
  setInterval(() => {
    const nowMs = Date.now();
    for (const one of [...world.hosts, ...world.instances]) {
      if (!one.load || ('stale' in one && one.stale)) continue;
      one.load = {
        ...one.load,
        tsMs: nowMs,
        cpuRatio: Math.max(0.01, Math.min(0.98, one.load.cpuRatio + (Math.random() - 0.5) * 0.08)),
      };
      if ('seenMs' in one && one.state === 'online') one.seenMs = nowMs;
    }
    changed('/api/v1/hosts');
    changed('/api/v1/instances');
  }, 5_000);
}

server.listen(Number(flags.port), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));

import { createServer, type Server as HttpServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io as connect, type Socket } from 'socket.io-client';
import { WebvirtError } from '../../common/errors.ts';
import type { Principal } from '../../common/model/access.ts';
import type { Line, NewLine } from '../../common/model/line.ts';
import { queryOf } from '../../common/pure/query/filter.ts';
import { compileMatcher } from '../../common/pure/query/match.ts';
import { re2Engine } from '../../common/pure/query/re2-engine.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import { ColumnBuilder } from '../../common/wire/frames.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import { type Bus, createBus } from '../bus/bus.ts';
import type { CommittedBatch, LineFilter } from '../store/ports.ts';
import { createLive, LIVE_DEFAULTS, type LiveConfig } from './live.ts';
import type { BatchReader, LiveDeps, SearchedStore, TailStore } from './ports.ts';
import type { SocketEvent } from './socket-event.ts';

// What live stands in, for its tests: a store that is a list, three credentials, a real server and real sockets.

export type TestSocket = Socket<ServerEvents, ClientEvents>;

export interface ListStore extends TailStore, SearchedStore {
  /** Searches that look now, and those that were called off. */
  searching: number;
  calledOff: number;
  /** Commits lines and tells the bus; `silently` leaves the telling to `tell`. */
  commit(lines: Partial<NewLine>[], host?: string): CommittedBatch;
  stored: Line[];
  /** Awaited by every read, after it read; before, when `readsLate`. */
  gate: Promise<void>;
  readsLate: boolean;
}

export function createListStore(bus: Bus, reader: BatchReader): ListStore {
  const stored: Line[] = [];
  const seqs = new Map<string, number>();
  const matching = (filter: LineFilter) => {
    const matches = compileMatcher(queryOf(filter), re2Engine);
    return (line: Line) =>
      matches({
        ...{ host: line.host, hostName: line.hostName, message: line.message },
        fields: line.fields === undefined ? null : JSON.stringify(line.fields),
        column: (name) => line[name],
      });
  };
  const store: ListStore = {
    stored,
    gate: Promise.resolve(),
    readsLate: false,
    searching: 0,
    calledOff: 0,
    newestOrdinal: () => stored.length,
    async query(filter, { limit }) {
      if (store.readsLate) await store.gate;
      const found = stored.filter(matching(filter)).reverse().slice(0, limit);
      await store.gate;
      return { lines: found, next: null, searchedBackToMs: null };
    },
    async search(filter, { limit, signal, onFound, onLooked }) {
      const found = stored.filter(matching(filter)).reverse();
      store.searching += 1;
      const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
      try {
        for (let at = 0; at < Math.min(limit, found.length); at += 100) {
          await Promise.race([store.gate, aborted]);
          if (signal?.aborted) {
            store.calledOff += 1;
            throw new WebvirtError('op-cancelled');
          }
          const piece = found.slice(at, Math.min(limit, at + 100));
          onFound?.(piece);
          onLooked?.(piece.at(-1)!.tsMs);
        }
        return {
          lines: found.slice(0, limit),
          next: found.length > limit ? String(limit) : null,
          searchedBackToMs: null,
        };
      } finally {
        store.searching -= 1;
      }
    },
    async since(filter, ordinal, limit) {
      await store.gate;
      const newest = stored.length;
      const test = matching(filter);
      const lines: Line[] = [];
      for (let i = ordinal; i < newest; i++) {
        if (test(stored[i]!)) lines.push(stored[i]!);
        if (lines.length === limit) return { lines, lastOrdinal: i + 1 };
      }
      return { lines, lastOrdinal: newest };
    },
    commit(lines, host = 'h1') {
      const builder = new ColumnBuilder();
      for (const line of lines) builder.add({ tsMs: 1, level: 'info', source: 'agent', message: '', ...line });
      const first = seqs.get(host) ?? 0;
      seqs.set(host, first + lines.length);
      const batch: CommittedBatch = {
        ...{ agent: host, host, hostName: `name-${host}`, epoch: 'e'.repeat(16), first, count: lines.length, hash: '' },
        ...{ receivedMs: 2, columns: builder.take(), gap: null, ordinal: stored.length + 1 },
      };
      const columns = reader.columnsOf(batch);
      for (let i = 0; i < lines.length; i++) stored.push(reader.lineAt(batch, columns, i));
      bus.emit('lines', { batches: [batch] });
      return batch;
    },
  };
  return store;
}

export const COOKIE = 'webvirt_session=good';

/** One cookie session, one admin token, one service token. */
export function testPrincipal(headers: IncomingHttpHeaders): Principal | null {
  const admin = { name: 'admin@localhost', role: 'admin' as const };
  if (headers.authorization === 'Bearer wv_admin') return { ...admin, via: 'token', credentialId: 'token-1' };
  if (headers.authorization === 'Bearer wv_crawler')
    return { name: 'crawler', role: 'service', via: 'token', credentialId: 'token-2' };
  if (headers.authorization === undefined && headers.cookie === COOKIE)
    return { ...admin, via: 'session', credentialId: 'session-1' };
  return null;
}

/** The parts of http and store that live is given; tests hand in the real ones. */
export type RealParts = Pick<LiveDeps, 'batches' | 'http'> & { guard: Omit<LiveDeps['guard'], 'authenticate'> };

export async function startWorld(
  parts: RealParts,
  options: { config?: Partial<LiveConfig>; events?: SocketEvent[]; guard?: Partial<LiveDeps['guard']> } = {},
) {
  const faults: string[] = [];
  const infos: string[] = [];
  const bus = createBus((error) => faults.push(String(error)));
  const lines = createListStore(bus, parts.batches);
  const note = (message: string, fields?: object) => faults.push(`${message} ${JSON.stringify(fields)}`);
  const quiet = () => undefined;
  const live = createLive(
    { ...LIVE_DEFAULTS, ...options.config },
    {
      ...{ bus, lines, batches: parts.batches, http: parts.http },
      guard: { ...parts.guard, authenticate: testPrincipal, ...options.guard },
      log: { debug: quiet, info: (message) => infos.push(message), warn: quiet, error: note },
      ...(options.events === undefined ? {} : { events: options.events }),
    },
  );
  const server: HttpServer = createServer((_request, response) => void response.writeHead(404).end('other'));
  live.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const sockets: TestSocket[] = [];
  return {
    ...{ bus, lines, live, server, port, url, faults, infos },
    /** A connected socket of the admin token. */
    async connect(options: Parameters<typeof connect>[1] = {}): Promise<TestSocket> {
      const socket: TestSocket = connect(url, {
        ...{ transports: ['websocket'], auth: { token: 'wv_admin' }, forceNew: true, reconnection: false },
        ...options,
      });
      sockets.push(socket);
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('connect_error', reject);
      });
      return socket;
    },
    async stop() {
      for (const socket of sockets) socket.disconnect();
      await live.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends an event and returns the data of its answer, or throws its error. */
export async function ask<T>(socket: TestSocket, name: string, body?: unknown): Promise<T> {
  const answer = (await socket.timeout(10_000).emitWithAck(name as 'subscribe', body as never)) as Envelope<T>;
  if (answer.err !== null) throw new WebvirtError(answer.err as 'internal', answer.message);
  return answer.data;
}

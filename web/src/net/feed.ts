import type Backbone from 'backbone';
import { applyPatch } from '../../../common/pure/patch/apply.ts';
import type { PatchOperation } from '../../../common/wire/live.ts';
import type { Connection } from '../models/connection.ts';
import type { LineWindow } from '../models/line-window.ts';
import type { LogFilter } from '../models/log-filter.ts';
import { syncCollection } from './list-sync.ts';
import type { LiveSocket } from './socket.ts';
import { createTails, type Tail } from './tail.ts';

/** The lists that are kept in step with the manager while the console is open. */
export interface FeedLists {
  [uri: string]: Backbone.Collection;
}

export interface FeedDeps {
  socket: LiveSocket;
  connection: Connection;
  lists: FeedLists;
  onSignedOut: () => void;
}

export interface Feed {
  start(): void;
  stop(): void;
  /** Fills a list before the live road has told it for the first time; afterwards it is ignored. */
  seed(uri: string, body: unknown): void;
  /** Streams lines into a window until closed; survives lost connections without losing lines. */
  tail(window: LineWindow, filter: LogFilter, backlog: number): Tail;
}

const ACK_TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;

function patched(body: unknown, patch: PatchOperation[]): unknown {
  try {
    return applyPatch(body, patch);
  } catch {
    return undefined;
  }
}

/** The only writer of models: what the manager pushes becomes attributes and lines here and nowhere else. */
export function createFeed(deps: FeedDeps): Feed {
  const { socket, connection, lists } = deps;
  const tails = createTails(socket);
  const kept = new Map<string, { version: number; body: unknown }>();
  /** Lists that the live road has told at least once: what comes by other roads is older. */
  const told = new Set<string>();
  let generation = 0;

  function subscribe(uri: string): void {
    const asked = generation;
    kept.delete(uri);
    socket.timeout(ACK_TIMEOUT_MS).emit('subscribe', { uri }, (timedOut, answer) => {
      // A late answer of an earlier connection must not overwrite what the present one said.
      if (asked !== generation || !socket.connected) return;
      if (timedOut || answer.err !== null) {
        if (!timedOut && answer.err === 'not-signed-in') deps.onSignedOut();
        else setTimeout(() => asked === generation && subscribe(uri), RETRY_MS);
        return;
      }
      kept.set(uri, { version: answer.data.version, body: answer.data.body });
      const list = lists[uri];
      told.add(uri);
      if (list === undefined) return;
      syncCollection(list, answer.data.body);
      list.trigger('loaded', list);
    });
  }

  function onChange(change: { uri: string; version: number; patch: PatchOperation[] }): void {
    const entry = kept.get(change.uri);
    const list = lists[change.uri];
    if (entry === undefined || list === undefined) return;
    if (change.version <= entry.version) return;
    // A missed version, or a patch that does not fit, means that our copy is wrong: ask for the whole again.
    const body = change.version === entry.version + 1 ? patched(entry.body, change.patch) : undefined;
    if (body === undefined) {
      subscribe(change.uri);
      return;
    }
    entry.body = body;
    entry.version = change.version;
    syncCollection(list, body);
  }

  function onConnect(): void {
    generation += 1;
    connection.up();
    for (const uri of Object.keys(lists)) subscribe(uri);
    tails.resume();
  }

  function onConnectError(error: Error): void {
    connection.down();
    if (error.message === 'not-signed-in' || error.message === 'forbidden') deps.onSignedOut();
  }

  return {
    start() {
      socket.on('connect', onConnect);
      socket.on('disconnect', (reason) => {
        generation += 1;
        connection.down();
        // The manager closed it on purpose (restart): socket.io does not come back by itself then.
        if (reason === 'io server disconnect') setTimeout(() => socket.connect(), RETRY_MS);
      });
      socket.on('connect_error', onConnectError);
      socket.on('change', onChange);
      socket.on('logs:lines', (batch) => tails.onBatch(batch));
      socket.on('signed-out', () => deps.onSignedOut());
      socket.connect();
    },
    stop() {
      generation += 1;
      socket.removeAllListeners();
      socket.disconnect();
    },
    seed(uri, body) {
      const list = lists[uri];
      if (list === undefined || told.has(uri)) return;
      syncCollection(list, body);
      list.trigger('loaded', list);
    },
    tail: (window, filter, backlog) => tails.open(window, filter, backlog),
  };
}

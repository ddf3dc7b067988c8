import type Backbone from 'backbone';
import type { Completion } from '../models/compute/compute.ts';
import type { Notebook } from '../models/compute/notebook.ts';
import type { Connection } from '../models/connection.ts';
import type { LineWindow } from '../models/line-window.ts';
import type { LogFilter } from '../models/log-filter.ts';
import { createAttachments } from './attachments.ts';
import { syncCollection } from './list-sync.ts';
import { createLiveSearches, type SearchOrder, type SearchRun } from './searches-live.ts';
import type { LiveSocket } from './socket.ts';
import { createSubscriptions, type Follower, type Following } from './subscriptions.ts';
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
  /** Keeps one more list in step, until closed. Event of the list: `loaded` after each whole answer. */
  followList(uri: string, list: Backbone.Collection): Following;
  /** Keeps anything else in step, until closed. */
  follow(uri: string, follower: Follower): Following;
  /** Streams lines into a window until closed; survives lost connections without losing lines. */
  tail(window: LineWindow, filter: LogFilter, backlog: number): Tail;
  /** Searches the stored lines; what is found comes as it is found. */
  search(order: SearchOrder): SearchRun;
  /** Fills a notebook with the events of its session until closed; survives lost connections without losing any. */
  attach(notebook: Notebook): { close(): void };
  /** What could stand at the cursor; nothing where the session does not answer in time. */
  complete(session: string, code: string, cursor: number, timeoutMs: number): Promise<Completion>;
}

const RETRY_MS = 1_000;

/** The only writer of models: what the manager pushes becomes attributes and lines here and nowhere else. */
export function createFeed(deps: FeedDeps): Feed {
  const { socket, connection, lists } = deps;
  const tails = createTails(socket);
  const searches = createLiveSearches(socket);
  const attachments = createAttachments(socket);
  const subscriptions = createSubscriptions(socket, deps.onSignedOut);

  function followList(uri: string, list: Backbone.Collection): Following {
    return subscriptions.follow(uri, {
      take(body, whole) {
        syncCollection(list, body);
        if (whole) list.trigger('loaded', list);
      },
    });
  }

  for (const [uri, list] of Object.entries(lists)) followList(uri, list);

  function onConnect(): void {
    connection.up();
    subscriptions.resume();
    tails.resume();
    attachments.resume();
  }

  function onConnectError(error: Error): void {
    connection.down();
    if (error.message === 'not-signed-in' || error.message === 'forbidden') deps.onSignedOut();
  }

  return {
    start() {
      socket.on('connect', onConnect);
      socket.on('disconnect', (reason) => {
        subscriptions.pause();
        searches.lost();
        connection.down();
        // The manager closed it on purpose (restart): socket.io does not come back by itself then.
        if (reason === 'io server disconnect') setTimeout(() => socket.connect(), RETRY_MS);
      });
      socket.on('connect_error', onConnectError);
      socket.on('change', (change) => subscriptions.onChange(change));
      socket.on('logs:lines', (batch) => tails.onBatch(batch));
      socket.on('logs:found', (found) => searches.onFound(found));
      socket.on('compute:output', (batch) => attachments.onOutput(batch));
      socket.on('signed-out', () => deps.onSignedOut());
      socket.connect();
    },
    stop() {
      subscriptions.pause();
      socket.removeAllListeners();
      socket.disconnect();
    },
    seed(uri, body) {
      const list = lists[uri];
      if (list === undefined || subscriptions.told(uri)) return;
      syncCollection(list, body);
      list.trigger('loaded', list);
    },
    followList,
    follow: (uri, follower) => subscriptions.follow(uri, follower),
    tail: (window, filter, backlog) => tails.open(window, filter, backlog),
    search: (order) => searches.run(order),
    attach: (notebook) => attachments.open(notebook),
    complete: (session, code, cursor, timeoutMs) =>
      new Promise((resolve) => {
        socket.timeout(timeoutMs).emit('compute:complete', { session, code, cursor }, (timedOut, answer) => {
          const nothing = { matches: [], start: cursor, end: cursor };
          resolve(timedOut || answer.err !== null ? nothing : answer.data);
        });
      }),
  };
}

import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../../common/model/access.ts';
import type { Line } from '../../common/model/line.ts';
import type { LineColumns } from '../../common/wire/frames.ts';
import type { Bus } from '../bus/bus.ts';
import type { Call, Route } from '../http/route.ts';
import type { LineBatch, LineStore } from '../store/ports.ts';

/** The rules of HTTP, handed in so that sockets keep exactly the same ones. */
export interface SharedGuard {
  /** Who comes with these headers; null for nobody. A token of the handshake is given as `authorization: Bearer …`. */
  authenticate(headers: IncomingHttpHeaders): Principal | null | Promise<Principal | null>;
  /** Throws `not-signed-in` or `forbidden`. */
  mustBeAllowed(access: Route['access'], principal: Principal | null): void;
  isHostAllowed(hostHeader: string | undefined, localAddress: string | undefined): boolean;
  /** The strict rule: whoever brings a cookie must show our own Origin. */
  isOriginAllowed(headers: IncomingHttpHeaders): boolean;
  /** False once the credential has ended or run out; asked at every event and every few seconds. */
  isStillValid?(principal: Principal): boolean;
}

/** A call of a route before its parameters were checked. */
export interface UncheckedCall extends Omit<Call, 'params' | 'query' | 'body'> {
  params: Record<string, string>;
  query: Record<string, string | string[]>;
  body: unknown;
}

/** The routes and how HTTP calls them: check, handler, presenter. */
export interface SharedRoutes {
  routes: readonly Route[];
  callRoute(route: Route, call: UncheckedCall): Promise<unknown>;
  readQuery(target: string): Record<string, string | string[]>;
  /** The path of a target in its one canonical spelling, else null. */
  canonicalPath(target: string): string | null;
}

export interface LiveLog {
  debug(message: string, fields?: Record<string, unknown>): unknown;
  info(message: string, fields?: Record<string, unknown>): unknown;
  warn(message: string, fields?: Record<string, unknown>): unknown;
  error(message: string, fields?: Record<string, unknown>): unknown;
}

/** What tails read of the store. */
export type TailStore = Pick<LineStore, 'query' | 'since' | 'newestOrdinal' | 'shared'>;
/** What searches read of it. */
export type SearchedStore = Pick<LineStore, 'search'>;

/** How the store reads a batch: a live line is the very line that is answered from the store later. */
export interface BatchReader {
  columnsOf(batch: LineBatch): LineColumns;
  lineAt(batch: LineBatch, columns: LineColumns, i: number): Line;
}

export interface LiveDeps {
  guard: SharedGuard;
  http: SharedRoutes;
  lines: TailStore & SearchedStore;
  batches: BatchReader;
  bus: Bus;
  log: LiveLog;
}

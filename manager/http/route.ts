import type { z } from 'zod';
import type { ErrorCode } from '../../common/errors.ts';
import type { Principal } from '../../common/model/access.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { BusEvents } from '../bus/bus.ts';

/**
 * One way in. From the table of routes come the router, the guard, the OpenAPI document, the reference pages and the
 * resources that can be subscribed to. To add one: write it in `api/<noun>/routes.ts`, add its row to the
 * authorisation matrix test, and a sample call to the docs.
 */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `:name` for parameters, such as `/api/v1/hosts/:id`. */
  path: string;
  /** A few words: title of the reference page. */
  summary: string;
  /** Why one would call it: first paragraph of the reference page. */
  purpose: string;
  /** `open` answers anybody; `member` any signed-in person; `admin`; `service` our own parts (admins may not). */
  access: 'open' | 'member' | 'admin' | 'service';
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  /** Shape of `data` in the envelope. Absent: the route writes its own answer through `raw`. */
  answer?: z.ZodType;
  /** What may stand beside `data` in the envelope, where `data` is a list and so has no room for it: optional fields. */
  beside?: z.ZodType;
  /** Content type of a route that writes its own answer (`/metrics`, exports). */
  rawType?: string;
  /** Status of success; 200 when absent. */
  status?: number;
  /** Largest body in bytes, compressed or not; 64 KiB when absent. */
  bodyLimitBytes?: number;
  /**
   * True where programs send lines. The body may come as gzip; what it unpacks to is bounded as well. One bad line must not
   * fail the others, so the handler itself must expect any key and any depth in what is parsed.
   */
  takesLines?: true;
  /** Media types that are refused, with the words that tell their sender what to set. */
  refusedTypes?: Record<string, string>;
  /** True when a token is also taken as the password of Basic credentials, for senders that have nothing else. */
  basicToken?: true;
  /** Asked once it is known who calls and before the body is read: throws to refuse a sender that floods. */
  admit?(principal: Principal): void;
  /** How an error is told to clients of somebody else's protocol; the envelope when absent. */
  presentError?(error: { status: number; body: Envelope<never> }): { type: string; text: string };
  /**
   * Present when the address can be subscribed to: which events make its body stale. `touches` narrows them.
   * `perPerson`: the body depends on who asks, so it is made for each person instead of once for all.
   */
  live?: {
    on: (keyof BusEvents)[];
    touches?: (event: unknown, params: Record<string, string>) => boolean;
    perPerson?: boolean;
  };
  /** An example body for the docs. */
  example?: unknown;
  /** Errors of this route beyond those its access, parameters and body imply; for the reference. */
  errors?: readonly ErrorCode[];
  handle(call: Call): unknown;
}

/** What a handler sees: checked values, never the framework's context. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  params: P;
  query: Q;
  body: B;
  /** Null only on open routes. */
  principal: Principal | null;
  /** Aborts when the client goes away. */
  signal: AbortSignal;
  /** Address of the peer, for rate limits and the audit line. */
  peer: { address: string; encrypted: boolean };
  /** Keying material of this TLS connection (RFC 5705) with an empty context; null without TLS or outside HTTP. */
  keyingMaterial?: (lengthBytes: number, label: string) => Uint8Array | null;
  /** Says the fields that stand beside `data`; over HTTP, for routes with `beside`. */
  beside?(fields: Record<string, unknown>): void;
  /** Sends text or bytes piece by piece for routes with `rawType`. */
  raw?: RawAnswer;
  setCookie(name: string, value: string, options: { maxAgeMs: number | null }): void;
  cookie(name: string): string | undefined;
}

export interface RawAnswer {
  /** Resolves when the peer has taken it: back-pressure. */
  write(chunk: string | Uint8Array): Promise<void>;
  header(name: string, value: string): void;
  /** Told behind the last piece; its name was announced in the header `Trailer` before the first. */
  trailer(name: string, value: string): void;
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;

/** Types a route's handler from its schemas. */
export function defineRoute<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  route: Omit<Route, 'handle' | 'params' | 'query' | 'body'> & {
    params?: P;
    query?: Q;
    body?: B;
    handle(call: Call<Parsed<P>, Parsed<Q>, Parsed<B>>): unknown;
  },
): Route {
  return route as unknown as Route;
}

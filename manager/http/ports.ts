import type { Server } from 'node:http';
import type { Authenticator } from './guard.ts';
import type { Log } from './log.ts';
import type { RefusalAudit } from './refusals.ts';
import type { Route } from './route.ts';

export interface HttpConfig {
  listen: string;
  /** 0: any free one; see `address`. */
  port: number;
  /** Host names this manager answers to besides loopback names, its own name and the address it was called at. */
  allowedHosts: readonly string[];
  headerTimeoutMs: number;
  /** For a whole request, its body included. */
  requestTimeoutMs: number;
  maxConnections: number;
  /** Folder of the built console; null: none. */
  webFolder: string | null;
}

export interface HttpDeps {
  routes: readonly Route[];
  auth: Authenticator;
  /** PEM; null: plain HTTP only. */
  tls: { key: string; cert: string } | null;
  log: Log;
  /** Hands out the server that WebSocket handshakes of both HTTP and TLS arrive at, already past the gate. */
  socket?: (server: Server) => void;
  /** Hears of requests that were refused: foreign origins, missing CSRF tokens, unknown host names. */
  audit?: RefusalAudit;
  /** Called once for each answer, for the metrics. */
  observe?: (answer: { method: string; route: string; status: number; durationMs: number }) => void;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signInRoutes } from '../../manager/api/sign-in/routes.ts';
import { tokenRoutes } from '../../manager/api/tokens/routes.ts';
import { createAuth, SESSION_COOKIE } from '../../manager/auth/auth.ts';
import { createBus } from '../../manager/bus/bus.ts';
import { createHttp } from '../../manager/http/http.ts';
import type { HttpConfig, HttpDeps } from '../../manager/http/ports.ts';
import type { Route } from '../../manager/http/route.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';

export const PASSWORD = 'correct horse battery';
const HOUR_MS = 3_600_000;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The envelope, where the answer is one. */
  json: { err: string | null; message?: string; data: never };
}

export interface Ask extends Pick<RequestOptions, 'method' | 'headers'> {
  body?: string | Buffer;
  secure?: boolean;
  /** Address to come from; needs Linux, where all of 127/8 is ours. */
  from?: string;
}

const QUICK: HttpConfig = {
  listen: '127.0.0.1',
  port: 0,
  allowedHosts: [],
  headerTimeoutMs: 5000,
  requestTimeoutMs: 5000,
  maxConnections: 1000,
  webFolder: null,
};

export interface EdgeWish {
  routes?: Route[];
  http?: Partial<HttpConfig>;
  deps?: Partial<HttpDeps>;
  now?: () => number;
}

/** A real manager edge on port 0 with a real state store in a folder of its own: what the tests of this room talk to. */
export async function startEdge(wish: EdgeWish = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'webvirt-edge-'));
  const state = openStateStore(join(dataDir, 'webvirt.sqlite'));
  const bus = createBus((error) => {
    throw error;
  });
  const audits: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  const faults: { message: string; fields?: Record<string, unknown> }[] = [];
  const audit = (level: string, message: string, fields: Record<string, unknown>) =>
    void audits.push({ level, message, fields });
  const now = wish.now ?? Date.now;
  const openAuth = async (adminPassword: string) => {
    const made = createAuth(
      {
        dataDir,
        adminPassword,
        sessions: { idleMs: 12 * HOUR_MS, absoluteMs: 24 * HOUR_MS, rememberMs: 720 * HOUR_MS },
        tries: { tries: 10, windowMs: 60_000, maxWaitMs: 900_000, maxEntries: 10_000 },
        passwords: { cost: 2 ** 10, atOnce: 2, waiting: 64 },
      },
      { store: state.accounts, settings: state.settings, bus, audit, now },
    );
    await made.start();
    return made;
  };
  let auth = await openAuth(PASSWORD);
  const silent = () => undefined;
  const config = { ...QUICK, ...wish.http };
  const routes = () => [
    ...signInRoutes({ auth, cookieName: SESSION_COOKIE, version: '0.0.0' }),
    ...tokenRoutes({ tokens: auth.tokens, audit, now }),
    ...(wish.routes ?? []),
  ];
  const log = {
    error: (message: string, fields = {}) => faults.push({ message, fields }),
    warn: silent,
    info: silent,
    debug: silent,
  };
  const open = async (table: readonly Route[]) => {
    const made = createHttp(config, { routes: table, auth, tls: null, log, audit, ...wish.deps });
    await made.start();
    return made;
  };
  let http = await open(routes());
  let { port } = http.address();

  const ask = (path: string, { body, secure, from, ...options }: Ask = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const given = options.headers as Record<string, string> | undefined;
      if (body !== undefined && given?.['Transfer-Encoding'] === undefined) {
        options.headers = { ...given, 'Content-Length': String(Buffer.byteLength(body)) };
      }
      const call = (secure === true ? secureRequest : request)(
        { host: '127.0.0.1', port, path, localAddress: from, agent: false, rejectUnauthorized: false, ...options },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const json = text.startsWith('{') ? JSON.parse(text) : { err: null, data: null };
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
          });
        },
      );
      call.on('error', reject);
      call.end(body);
    });

  const swapRoutes = async (table: readonly Route[]) => {
    await http.stop(0);
    http = await open(table);
    port = http.address().port;
  };

  return {
    get auth() {
      return auth;
    },
    bus,
    state,
    get port() {
      return port;
    },
    dataDir,
    audits,
    faults,
    ask,
    /** Signs the admin in; `headers` are what a page of the console sends. */
    async signIn(extra: Ask = {}) {
      const answer = await ask('/api/v1/sign-in', {
        method: 'POST',
        body: JSON.stringify({ email: 'admin@localhost', password: PASSWORD }),
        ...extra,
        headers: { 'Content-Type': 'application/json', ...extra.headers },
      });
      if (answer.status !== 200) throw new Error(`sign-in: ${answer.text}`);
      const cookie = answer.headers['set-cookie']![0]!.split(';')[0]!;
      const { csrfToken } = answer.json.data as { csrfToken: string };
      return { answer, cookie, csrfToken, headers: { Cookie: cookie, 'X-CSRF-Token': csrfToken } };
    },
    /** An Authorization header of a fresh token. */
    bearer(role: 'admin' | 'service') {
      const { text, token } = auth.tokens.create({ owner: `${role}@test`, role, name: 'test', expiresMs: null });
      return { headers: { Authorization: `Bearer ${text}` }, id: token.id };
    },
    /** Opens the edge anew with another table of routes; accounts and sessions stay. */
    swapRoutes,
    /** Starts the accounts anew on the same store, as a restart of the program does. */
    async restartAuth(adminPassword: string) {
      await auth.stop();
      auth = await openAuth(adminPassword);
      await swapRoutes(routes());
    },
    async stop() {
      await http.stop(200);
      await auth.stop();
      state.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export type Edge = Awaited<ReturnType<typeof startEdge>>;

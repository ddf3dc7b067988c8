import type { Middleware, ParameterizedContext } from 'koa';
import { readCookie, writeCookie } from '../../common/pure/headers/cookies.ts';
import { ok } from '../../common/wire/envelope.ts';
import { withBasicToken } from './basic-token.ts';
import { readJsonBody } from './body.ts';
import { callRoute, type RawCall } from './call-route.ts';
import { type Authenticator, guard } from './guard.ts';
import { plainAddress } from './host-names.ts';
import { readQuery } from './query.ts';
import { createRawAnswer } from './raw-answer.ts';
import type { Route } from './route.ts';

const BODY_LIMIT_BYTES = 64 * 1024;

/** What the route that answers a request says of its errors. */
export interface RouteState {
  presentError?: Route['presentError'];
}

/** One route as koa middleware: guard, body, check, handler, envelope. */
export function routeMiddleware(route: Route, auth: Authenticator): Middleware {
  return async (ctx) => {
    (ctx.state as RouteState).presentError = route.presentError;
    const headers = route.basicToken === true ? withBasicToken(ctx.req.headers) : ctx.req.headers;
    const principal = guard(route, ctx.method, headers, auth);
    if (principal !== null) route.admit?.(principal);
    const body = ctx.method === 'GET' || ctx.method === 'HEAD' ? undefined : await readBody(ctx, route);
    let beside: unknown;
    const gone = new AbortController();
    ctx.res.once('close', () => gone.abort());
    const call: RawCall = {
      params: { ...(ctx as { params?: Record<string, string> }).params },
      query: readQuery(ctx.req.url ?? ''),
      body,
      principal,
      signal: gone.signal,
      beside: (fields) => {
        beside = route.beside?.parse(fields);
      },
      ...connectionParts(ctx),
    };
    if (route.rawType !== undefined) return answerRaw(ctx, route, route.rawType, call);
    const data = await callRoute(route, call);
    ctx.status = route.status ?? 200;
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'application/json; charset=utf-8';
    ctx.body = JSON.stringify({ ...ok(data ?? null), ...(beside as object | undefined) });
  };
}

function readBody(ctx: ParameterizedContext, route: Route): Promise<unknown> {
  const { bodyLimitBytes: limitBytes = BODY_LIMIT_BYTES, takesLines, refusedTypes } = route;
  return readJsonBody(ctx.req, { limitBytes, takesLines, refusedTypes });
}

function connectionParts(ctx: ParameterizedContext): Pick<RawCall, 'peer' | 'keyingMaterial' | 'setCookie' | 'cookie'> {
  const socket = ctx.req.socket as typeof ctx.req.socket & {
    encrypted?: boolean;
    exportKeyingMaterial?: (length: number, label: string, context: Buffer) => Buffer;
  };
  const encrypted = socket.encrypted === true;
  // Behind a proxy on this machine we see plain HTTP, but the browser tells in its Origin that it came by TLS.
  const secure = encrypted || ctx.req.headers.origin?.startsWith('https://') === true;
  return {
    peer: { address: plainAddress(socket.remoteAddress), encrypted },
    keyingMaterial: (lengthBytes, label) => socket.exportKeyingMaterial?.(lengthBytes, label, Buffer.alloc(0)) ?? null,
    setCookie(name, value, { maxAgeMs }) {
      ctx.res.appendHeader('Set-Cookie', writeCookie(name, value, { maxAgeMs, secure }));
    },
    cookie: (name) => readCookie(ctx.req.headers.cookie, name),
  };
}

/** The route writes its own answer. Once a piece has left, an error can only be told by cutting the connection. */
async function answerRaw(ctx: ParameterizedContext, route: Route, type: string, call: RawCall): Promise<void> {
  if (ctx.method === 'HEAD') {
    ctx.type = type;
    ctx.status = route.status ?? 200;
    return;
  }
  const raw = createRawAnswer(ctx.res, type, route.status ?? 200, call.signal);
  try {
    const rest = await callRoute(route, { ...call, raw: raw.answer });
    if (typeof rest === 'string' || rest instanceof Uint8Array) await raw.answer.write(rest);
    ctx.respond = false;
    raw.end();
  } catch (error) {
    if (!raw.started) throw error;
    ctx.respond = false;
    ctx.res.destroy();
    if (!call.signal.aborted) throw error;
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa from 'koa';
import { isWebvirtError } from '../../common/errors.ts';
import { errorFields } from '../../logging/plain-fields.ts';
import { discardBody } from './body.ts';
import { plainAddress } from './host-names.ts';
import type { RouteState } from './http-route.ts';
import type { HttpConfig, HttpDeps } from './ports.ts';
import type { Refusals } from './refusals.ts';
import { firstSegment } from './request-path.ts';
import { createRouter, wrongMethod } from './router.ts';
import { staticFiles } from './static-files.ts';
import { nothingHere, translateError } from './translate-error.ts';

/** The koa application: routes, then the console's files, then 405 or 404; every error in the envelope. */
export function createApp(
  config: Pick<HttpConfig, 'webFolder'>,
  deps: HttpDeps,
  refused: Refusals,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { routes, auth, log } = deps;
  const app = new Koa();
  const { router, methodsAt } = createRouter(routes, auth);
  // Addresses of the API never fall back to the console's page, in whatever case they are written.
  const reserved = new Set(['socket.io', 'assets', ...routes.map((route) => firstSegment(route.path))]);
  reserved.delete('');
  app.use(async (ctx, next) => {
    const startedMs = performance.now();
    try {
      await next();
    } catch (error) {
      const calledOff = (error as Error).name === 'AbortError' || isWebvirtError(error, 'op-cancelled');
      if (ctx.res.destroyed && calledOff) {
        // The peer left and its call was called off: nobody reads an answer, and nothing went wrong.
        ctx.status = 408;
        ctx.respond = false;
        return;
      }
      const about = { method: ctx.method, path: ctx.path, address: plainAddress(ctx.req.socket.remoteAddress) };
      const answer = translateError(error, log, about);
      refused(answer.body.err ?? '', about);
      if (ctx.res.headersSent) return;
      for (const name of ctx.res.getHeaderNames())
        if (name.startsWith('content-') && name !== 'content-security-policy') ctx.remove(name);
      ctx.set({ 'Cache-Control': 'no-store', ...answer.headers });
      if (answer.status === 405) ctx.set('Allow', methodsAt(ctx.path).join(', '));
      discardBody(ctx.req);
      ctx.status = answer.status;
      const { presentError } = ctx.state as RouteState;
      const shown = presentError?.(answer) ?? {
        type: 'application/json; charset=utf-8',
        text: JSON.stringify(answer.body),
      };
      ctx.type = shown.type;
      ctx.body = shown.text;
    } finally {
      const route = (ctx as { _matchedRoute?: unknown })._matchedRoute;
      deps.observe?.({
        method: ctx.method,
        route: typeof route === 'string' ? route : 'other',
        status: ctx.status,
        durationMs: performance.now() - startedMs,
      });
    }
  });
  app.use(router.routes());
  if (config.webFolder !== null) app.use(staticFiles(config.webFolder, (path) => reserved.has(firstSegment(path))));
  app.use((ctx) => {
    const methods = methodsAt(ctx.path);
    throw methods.length > 0 ? wrongMethod(methods) : nothingHere();
  });
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    log.error('answer failed', errorFields(error));
  });
  return app.callback();
}

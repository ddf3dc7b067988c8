import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { WebvirtError } from '../../common/errors.ts';
import { answerOk, readJson } from './answer.ts';
import type { Handler } from './handlers.ts';
import { NODE_API, type NodeRoute } from './routes.ts';

interface Found {
  route: NodeRoute;
  params: Record<string, string>;
}

/** Who asks, as far as the guard must know. */
export interface Asker {
  enrolled: boolean;
  isManager: boolean;
}

/** Answers one request of the table, or throws an error of the catalogue. The guard comes before everything else. */
export async function dispatch(
  request: IncomingMessage,
  response: ServerResponse,
  asker: Asker,
  handlers: Record<string, Handler>,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const found = find(request.method ?? 'GET', path);
  mustBeLetIn(asker, typeof found === 'object' && found.route.access === 'anyone');
  if (found === 'no path') throw new WebvirtError('not-found', 'There is no such address here.');
  if (found === 'no method') throw new WebvirtError('method-not-allowed');
  const { route, params } = found;
  const handler = handlers[`${route.method} ${route.path}`];
  if (handler === undefined) throw new WebvirtError('bad-request', 'This address takes a WebSocket.');
  if (route.params !== undefined) check(route.params, params);
  const body = route.body === undefined ? undefined : check(route.body, await readJson(request));
  answerOk(response, route.status, await handler({ params, body }));
}

/** Before enrolment the open call and nothing else; afterwards the manager and nobody else. */
export function mustBeLetIn({ enrolled, isManager }: Asker, isOpenCall: boolean): void {
  if (!enrolled && !isOpenCall) throw new WebvirtError('not-enrolled');
  if (enrolled && !isManager)
    throw new WebvirtError('forbidden', 'This agent answers to its manager only, by certificate.');
}

function find(method: string, path: string): Found | 'no path' | 'no method' {
  let isKnownPath = false;
  for (const route of NODE_API as readonly NodeRoute[]) {
    const params = match(route.path, path);
    if (params === null) continue;
    if (route.method === method) return { route, params };
    isKnownPath = true;
  }
  return isKnownPath ? 'no method' : 'no path';
}

function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const text = given[i] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = text;
    else if (part !== text) return null;
  }
  return params;
}

function check<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  const issue = found.error.issues[0];
  throw new WebvirtError(
    'bad-request',
    `${issue?.path.map(String).join('.') || 'body'}: ${issue?.message ?? 'is not right'}`,
  );
}

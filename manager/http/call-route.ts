import type { Principal } from '../../common/model/access.ts';
import { checkInput } from './check-input.ts';
import type { Call, Route } from './route.ts';

/** A call before it was checked. */
export interface RawCall extends Omit<Call, 'params' | 'query' | 'body' | 'principal'> {
  params: Record<string, string>;
  query: Record<string, string | string[]>;
  body: unknown;
  principal: Principal | null;
}

/**
 * Checks what came in, runs the handler and presents what goes out: only fields that the answer schema names leave. The
 * caller has asked the guard. Throws errors of the catalogue; an answer that does not fit its schema is a fault of ours
 * and throws as such.
 */
export async function callRoute(route: Route, raw: RawCall): Promise<unknown> {
  const call: Call = {
    ...raw,
    params: checkInput(route.params, raw.params, 'params'),
    query: checkInput(route.query, raw.query, 'query'),
    body: checkInput(route.body, raw.body, 'body'),
  };
  const data = await route.handle(call);
  return route.answer === undefined ? data : route.answer.parse(data ?? null);
}

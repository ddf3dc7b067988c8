import { defineRoute, type Route } from '../../http/route.ts';
import { buildOpenapi } from './build-openapi.ts';

/** The description of the whole table, itself included. `routes` is asked at the first call, when the table is complete. */
export function openapiRoutes({ routes, version }: { routes: () => readonly Route[]; version: string }): Route[] {
  let text: string | null = null;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/openapi.json',
      summary: 'OpenAPI document',
      purpose: 'Describes every call of this manager for tools that make clients. Bare, without the envelope.',
      access: 'member',
      rawType: 'application/json; charset=utf-8',
      handle() {
        text ??= JSON.stringify(buildOpenapi(routes(), version));
        return text;
      },
    }),
  ];
}

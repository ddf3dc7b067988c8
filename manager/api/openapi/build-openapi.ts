import { ERRORS } from '../../../common/errors.ts';
import type { Route } from '../../http/route.ts';
import { operationOf, tagOf } from './operation.ts';

/** The OpenAPI 3.1 document of a table of routes, made from the same schemas that check the calls. */
export function buildOpenapi(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'WebVirt manager API',
      version,
      description:
        'Every JSON answer is an envelope: `{"err": null, "data": …}`, or `{"err": "code", "message": "…", "data": null}` ' +
        'with the fitting status. Codes are never renamed. Sign in with a session cookie and its CSRF token, or send ' +
        '`Authorization: Bearer wv_…`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [...new Set(routes.map((route) => tagOf(route.path)))].sort().map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token made in the console or by `POST /api/v1/tokens`.',
        },
        session: { type: 'apiKey', in: 'cookie', name: 'webvirt_session' },
        csrf: { type: 'apiKey', in: 'header', name: 'X-CSRF-Token' },
      },
      schemas: {
        Error: {
          type: 'object',
          required: ['err', 'message', 'data'],
          properties: {
            err: { type: 'string', enum: Object.keys(ERRORS) },
            message: { type: 'string' },
            data: { type: 'null' },
          },
        },
      },
    },
  };
}

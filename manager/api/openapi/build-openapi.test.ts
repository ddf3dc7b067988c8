import { expect, it } from 'vitest';
import { ERRORS } from '../../../common/errors.ts';
import { describedRoutes } from '../../manager/routes.ts';
import { buildOpenapi } from './build-openapi.ts';

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: { 'application/json': { schema: { properties: object }; example?: unknown } } };
  responses: Record<string, { description: string; content: Record<string, { schema: { properties?: object } }> }>;
}

const routes = describedRoutes('1.2.3');
const document = buildOpenapi(routes, '1.2.3') as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: { Error: { properties: { err: { enum: string[] } } } } };
};
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
const at = (path: string, method: string) => document.paths[path]![method]!;

it('has every route once, with words and a name of its own', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(operations).toHaveLength(routes.length);
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(routes.length);
  for (const operation of operations) {
    expect(operation.summary, operation.operationId).not.toBe('');
    expect(operation.description.length, operation.operationId).toBeGreaterThan(10);
    expect(operation.tags).toHaveLength(1);
  }
});

it('is plain JSON that points at nothing missing', () => {
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) expect(name).toBe('Error');
  expect(text).not.toMatch(/"\$ref":"#\/(?!components)/);
  expect(document.components.schemas.Error.properties.err.enum).toEqual(Object.keys(ERRORS));
});

it('names parameters, bodies, envelopes and errors as they are checked', () => {
  const remove = at('/api/v1/tokens/{id}', 'delete');
  expect(remove.parameters).toMatchObject([{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]);
  expect(remove.security).toEqual([{ token: [] }, { session: [], csrf: [] }]);
  expect(Object.keys(remove.responses)).toEqual(['200', '400', '401', '403', '404']);
  expect(remove.responses['403']!.description).toContain('csrf-missing');
  const make = at('/api/v1/tokens', 'post');
  const body = make.requestBody!.content['application/json'];
  expect(Object.keys(body.schema.properties)).toEqual(['name', 'expiresMs']);
  expect(body.example).toEqual({ name: 'nightly report', expiresMs: null });
  expect(make.responses['201']!.content['application/json']!.schema.properties).toHaveProperty('data.properties.token');
  expect(at('/api/v1/sign-in', 'post').security).toEqual([]);
  expect(Object.keys(at('/api/v1/sign-in', 'post').responses)).toContain('429');
  expect(Object.keys(at('/metrics', 'get').responses['200']!.content)).toEqual([
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
});

it('makes each example pass the check of its own call', () => {
  for (const { method, path, body, example } of routes) {
    if (example === undefined) continue;
    expect(body, `${method} ${path}`).toBeDefined();
    expect(body!.safeParse(example).error, `${method} ${path}`).toBeUndefined();
  }
});

import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../../../common/errors.ts';
import type { Route } from '../../http/route.ts';

type Json = Record<string, unknown>;

/** The JSON schema of a zod type, as one sends it (`input`) or reads it (`output`). */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return rest;
}

/** Noun of a route: the group it stands in. */
export function tagOf(path: string): string {
  const [first, , third] = path.slice(1).split('/');
  if (first === 'v1' || first === 'loki') return 'intake';
  return first === 'api' ? (third ?? 'service') : first === 'list' ? 'list' : 'service';
}

/** Errors a caller of this route can meet, from what the route is and what it says of itself. */
export function errorsOf(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(route.errors ?? []);
  if (route.params !== undefined || route.query !== undefined || route.body !== undefined) codes.add('bad-request');
  if (route.access !== 'open') for (const code of ['not-signed-in', 'bad-token', 'forbidden'] as const) codes.add(code);
  if (route.access !== 'open' && route.method !== 'GET') codes.add('csrf-missing').add('bad-origin');
  if (route.params !== undefined) codes.add('not-found');
  if (route.body !== undefined) codes.add('too-large').add('unsupported-media-type');
  return (Object.keys(ERRORS) as ErrorCode[]).filter((code) => codes.has(code));
}

/** One route as an OpenAPI operation. */
export function operationOf(route: Route): Json {
  return {
    operationId: operationId(route),
    summary: route.summary,
    description: route.purpose,
    tags: [tagOf(route.path)],
    security: securityOf(route),
    parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')],
    ...(route.body === undefined ? {} : { requestBody: bodyOf(route, route.body) }),
    responses: { [String(route.status ?? 200)]: successOf(route), ...failuresOf(route) },
    'x-access': route.access,
    'x-live': route.live !== undefined,
  };
}

function operationId({ method, path }: Route): string {
  // Addresses of other protocols keep all of their words: `/v1/logs` of OTLP is not `/api/v1/logs`.
  const own = path.replace(/^\/api\/v1\//, '/');
  const words = own.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

function securityOf({ access, method }: Route): Json[] {
  if (access === 'open') return [];
  if (access === 'service') return [{ token: [] }];
  return [{ token: [] }, method === 'GET' ? { session: [] } : { session: [], csrf: [] }];
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as Json;
    const words = description === undefined ? {} : { description };
    return { name, in: place, required: place === 'path' || required.includes(name), ...words, schema: rest };
  });
}

function bodyOf(route: Route, schema: z.ZodType): Json {
  const example = route.example === undefined ? {} : { example: route.example };
  return { required: true, content: { 'application/json': { schema: jsonSchema(schema, 'input'), ...example } } };
}

function successOf(route: Route): Json {
  if (route.rawType !== undefined) {
    return {
      description: 'The answer as it is, without the envelope.',
      content: { [route.rawType]: { schema: { type: 'string' } } },
    };
  }
  const data = route.answer === undefined ? {} : jsonSchema(route.answer, 'output');
  const beside = route.beside === undefined ? {} : (jsonSchema(route.beside, 'output')['properties'] as Json);
  const schema = { type: 'object', required: ['err', 'data'], properties: { err: { type: 'null' }, data, ...beside } };
  return { description: 'Done.', content: { 'application/json': { schema } } };
}

function failuresOf(route: Route): Json {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(route)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${ERRORS[code].text}`).join(' '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

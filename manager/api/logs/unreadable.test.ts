import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ColumnBuilder } from '../../../common/wire/frames.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { type OpenLineStore, openLineStore } from '../../store/duckdb/open.ts';
import type { LineDoor } from '../intake/door.ts';
import { operationOf } from '../openapi/operation.ts';
import { logRoutes } from './routes.ts';

const NOW = 1_700_000_000_000;
const LINES = 20_000;
const BLOCK = 8_192;
const LOST = [{ lines: BLOCK, fromMs: NOW, toMs: NOW + BLOCK - 1 }];

let store: OpenLineStore;
let edge: Edge;
let headers: Record<string, string>;
const routes = () => logRoutes({ lines: store.lines, door: {} as LineDoor, nowMs: () => NOW + LINES });

beforeAll(async () => {
  edge = await startEdge();
  store = await openLineStore(join(edge.dataDir, 'lines.duckdb'), { sealAfterMs: Infinity });
  const builder = new ColumnBuilder();
  for (let i = 0; i < LINES; i++) builder.add({ tsMs: NOW + i, level: 'info', source: 'agent', message: `m${i}` });
  const batch = {
    agent: 'a1',
    host: 'a1',
    hostName: 'node1',
    epoch: 'e'.repeat(16),
    first: 0,
    count: LINES,
    gap: null,
  };
  await store.lines.append([{ ...batch, hash: '0'.repeat(32), receivedMs: NOW + LINES, columns: builder.take() }]);
  await store.seal();
  await edge.swapRoutes(routes());
  headers = { ...edge.bearer('admin').headers };
});
afterAll(async () => {
  expect(edge.faults).toEqual([]);
  await store.close();
  await edge.stop();
});

const ask = async (path: string) =>
  (await edge.ask(`/api/v1/logs${path}`, { headers })).json as Record<string, unknown>;
const summary = (query: string) =>
  new Promise<unknown>((resolve, reject) => {
    get({ port: edge.port, host: '127.0.0.1', path: `/api/v1/logs/export?${query}`, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.trailers['x-webvirt-export']));
    }).on('error', reject);
  });

const COUNTS = '/count?q=m';
const BARS = `/histogram?q=m&from=${NOW}&to=${NOW + LINES}&buckets=2`;
const FACETS = '/facets?q=m&field=unit';
const MORE_FACETS = '/facets?q=m&field=level&field=source';

function flipFirstBlock(): string {
  const folder = join(edge.dataDir, 'lines');
  const file = readdirSync(folder).find((name) => name.endsWith('.parquet'))!;
  const bytes = readFileSync(join(folder, file));
  bytes[100]! ^= 1;
  writeFileSync(join(folder, file), bytes);
  return file;
}

it('a whole store has no word of damage in any answer', async () => {
  expect(await ask(COUNTS)).toEqual({ err: null, data: { count: LINES } });
  for (const path of [BARS, FACETS, MORE_FACETS]) expect(Object.keys(await ask(path)), path).toEqual(['err', 'data']);
  expect(await summary('format=ndjson')).toBe(`complete; lines=${LINES}`);
  expect(await ask('/store')).toMatchObject({ data: { lines: LINES, unsealedLines: 0, unreadable: [] } });
});

it('every answer names the lines that it is without', async () => {
  const file = flipFirstBlock();
  const left = LINES - BLOCK;
  expect(await ask('?q=m&limit=1&to=1700000000010')).toMatchObject({ data: { lines: [], unreadable: LOST } });
  expect(await ask(COUNTS)).toEqual({ err: null, data: { count: left, unreadable: LOST } });
  expect(await ask(BARS)).toMatchObject({ err: null, data: [{ fromMs: NOW }, {}], unreadable: LOST });
  expect(await ask(FACETS)).toEqual({ err: null, data: [], unreadable: LOST });
  expect(await ask(MORE_FACETS)).toEqual({
    err: null,
    data: { level: [{ value: 'info', count: left }], source: [{ value: 'agent', count: left }] },
    unreadable: LOST,
  });
  expect(await ask('/store')).toMatchObject({ data: { unreadable: [{ file, ...LOST[0] }] } });
});

it('an export says behind its last line that it is not whole, and how much is missing', async () => {
  expect(await summary('format=ndjson')).toBe(`incomplete; lines=${LINES - BLOCK}; unreadable=${BLOCK}`);
  expect(await summary('format=csv&limit=1000')).toBe(`cut; lines=1000; unreadable=${BLOCK}`);
  expect(await summary(`format=text&from=${NOW + BLOCK}&q=m`)).toBe(`complete; lines=${LINES - BLOCK}`);
});

it('the reference describes it where it stands', () => {
  const schemaOf = (path: string) => {
    const operation = operationOf(
      routes().find((route) => route.path === `/api/v1/logs${path}` && route.method === 'GET')!,
    );
    const { responses } = operation as { responses: Record<string, { content: Record<string, { schema: unknown }> }> };
    return responses['200']!.content['application/json']!.schema as {
      properties: Record<string, { properties?: object }>;
    };
  };
  const shape = { type: 'array', items: { required: ['lines', 'fromMs', 'toMs'] } };
  for (const path of ['/histogram', '/facets']) {
    expect(schemaOf(path).properties['unreadable'], path).toMatchObject(shape);
    expect(schemaOf(path)).toMatchObject({ required: ['err', 'data'] });
  }
  for (const path of ['', '/count'])
    expect(schemaOf(path).properties['data']!.properties, path).toMatchObject({ unreadable: shape });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewLine } from '../../../common/model/line.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import type { LineDoor } from '../intake/door.ts';
import { type LogDeps, logRoutes } from './routes.ts';

const NOW = 1_700_000_000_000;
let edge: Edge;
let headers: Record<string, string>;
const outside: NewLine[] = [];
let flushed = 0;
let refusedAtDoor = 0;

beforeAll(async () => {
  edge = await startEdge();
  const door: LineDoor = {
    admit: () => undefined,
    refused(_sender, _reason, count = 1) {
      refusedAtDoor += count;
    },
    async store(_sender, lines) {
      outside.push(...lines);
      flushed = outside.length;
    },
  };
  await edge.swapRoutes(logRoutes({ lines: {} as LogDeps['lines'], door, nowMs: () => NOW + 10_000 }));
  headers = { ...edge.bearer('admin').headers, 'Content-Type': 'application/json' };
});
afterAll(async () => {
  expect(edge.faults).toEqual([]);
  await edge.stop();
});

describe('lines from outside', () => {
  const post = (body: string) => edge.ask('/api/v1/logs', { method: 'POST', headers, body });

  it('are stored as external, and may not say who they are', async () => {
    outside.length = 0;
    const spoof = { host: 'a1', agent: 'manager', source: 'audit', id: 'x', receivedMs: 1, job: 'j', instance: 'i' };
    const lines = [
      { message: 'plain' },
      { message: 'full', level: 'WARNING', tsMs: NOW - 5, unit: 'backup', fields: { bytes: 1 }, ...spoof },
      { message: '{"level":"error","host":"b"}\nsecond row', ts: '2023-11-14T22:13:20Z', sender: 'somebody' },
    ];
    const answer = await post(JSON.stringify(lines));
    expect(answer.json).toEqual({ err: null, data: { accepted: 3, refusedCount: 0, refused: [] } });
    expect(flushed).toBe(3);
    expect(outside).toEqual([
      {
        tsMs: NOW + 10_000,
        level: 'info',
        source: 'external',
        message: 'plain',
        fields: { sender: 'admin@test', via: 'http' },
      },
      {
        ...{ tsMs: NOW - 5, level: 'warn', source: 'external', message: 'full', unit: 'backup' },
        fields: { ...spoof, bytes: 1, sender: 'admin@test', via: 'http' },
      },
      {
        tsMs: NOW,
        level: 'info',
        source: 'external',
        message: lines[2]!.message,
        fields: { sender: 'admin@test', via: 'http' },
      },
    ]);
  });

  it('are taken one by one: a bad one is named and does not fail the others', async () => {
    outside.length = 0;
    const bad = [7, null, [], {}, { message: 7 }, { message: 'x', level: 'loud' }, { message: 'x', tsMs: 'soon' }];
    const more = [
      { message: 'x', fields: [] },
      { message: 'x'.repeat(70_000) },
      { message: 'x', fields: { a: 'x'.repeat(20_000) } },
    ];
    const answer = await post(JSON.stringify([...bad, ...more, { message: 'good' }]));
    const told = answer.json.data as {
      accepted: number;
      refusedCount: number;
      refused: { index: number; reason: string }[];
    };
    expect([told.accepted, told.refusedCount]).toEqual([1, 10]);
    expect(told.refused.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(outside.map(({ message }) => message)).toEqual(['good']);
    const many = await post(JSON.stringify(Array.from({ length: 10_002 }, () => ({ message: 'm' }))));
    expect(many.json.data).toMatchObject({ accepted: 10_000, refusedCount: 2 });
    expect(refusedAtDoor).toBe(12);
  });

  it('may come as NDJSON, one object a row', async () => {
    const text = '{"message":"one"}\r\n\nnot json\n{"message":"two","__proto__":{"x":1}}\n"three"';
    const rows = { ...headers, 'Content-Type': 'application/x-ndjson' };
    const answer = await edge.ask('/api/v1/logs', { method: 'POST', headers: rows, body: text });
    expect(answer.json.data).toMatchObject({ accepted: 2, refusedCount: 2 });
    expect((answer.json.data as { refused: unknown }).refused).toEqual([
      { index: 1, reason: 'not JSON' },
      { index: 3, reason: 'not an object' },
    ]);
  });

  it('with what would fail a batch elsewhere fail alone', async () => {
    outside.length = 0;
    const deep = `${'{"a":'.repeat(50)}1${'}'.repeat(50)}`;
    const rows = `[{"message":"a","__proto__":{"x":1}},{"message":"b","fields":${deep}},{"message":"c","fields":{"gap":{"from":1}}}]`;
    // A byte that is no UTF-8 in one line of the batch.
    const body = Buffer.concat([
      Buffer.from(rows.slice(0, -1)),
      Buffer.from(',{"message":"d'),
      Buffer.from([0xff]),
      Buffer.from('"}]'),
    ]);
    const answer = await edge.ask('/api/v1/logs', { method: 'POST', headers, body });
    expect(answer.json.data).toMatchObject({
      accepted: 3,
      refused: [{ index: 1, reason: 'fields: nested too deeply' }],
    });
    expect(outside.map(({ message }) => message)).toEqual(['a', 'c', 'd\ufffd']);
    expect(outside[1]!.fields).toEqual({ 'external.gap': { from: 1 }, sender: 'admin@test', via: 'http' });
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { startEdge } from '../../test/support/edge.ts';
import { checkInput } from './check-input.ts';
import { readQuery } from './query.ts';
import { parseSafeJson } from './safe-json.ts';

/** The same numbers at each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'a',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  'name',
  '\\u005f_proto__',
  'cons\\u0074ructor',
];
const schema = z.object({
  name: z.string().optional(),
  a: z.record(z.string(), z.unknown()).optional(),
  loose: z.looseObject({}).optional(),
});
const pristine = Object.getOwnPropertyNames(Object.prototype).sort().join();

function mustBeClean() {
  expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(pristine);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(([] as unknown as Record<string, unknown>)['polluted']).toBeUndefined();
}
afterEach(mustBeClean);

function evilJson(next: () => number, depth: number): string {
  if (depth === 0 || next() < 0.2) return '{"polluted":1}';
  const pairs = Array.from({ length: 1 + Math.floor(next() * 3) }, () => {
    const key = KEYS[Math.floor(next() * KEYS.length)];
    return `"${key}":${evilJson(next, depth - 1)}`;
  });
  return next() < 0.2 ? `[{${pairs.join()}}]` : `{${pairs.join()}}`;
}

it('keeps Object.prototype through 5,000 bodies and queries', () => {
  const next = random(7);
  for (let i = 0; i < 5000; i++) {
    const text = evilJson(next, 5);
    const query = `?${KEYS[i % KEYS.length]}[polluted]=1&${KEYS[(i * 7) % KEYS.length]}.polluted=1&${KEYS[(i * 3) % KEYS.length]}=1`;
    for (const attempt of [() => checkInput(schema, parseSafeJson(text), 'body'), () => ({ ...readQuery(query) })]) {
      try {
        const value = attempt() as Record<string, unknown>;
        // What a careless merge further in would do with what was let through.
        const merged = Object.assign({}, value, value?.['a']);
        expect(merged['polluted'] === 1 && Object.getPrototypeOf(merged) !== Object.prototype).toBe(false);
      } catch (error) {
        expect((error as { code?: string }).code, text).toBe('bad-request');
      }
    }
    if (Object.hasOwn(Object.prototype, 'polluted')) throw new Error(`polluted by ${text}`);
  }
});

it('lets no such key into a handler over HTTP', async () => {
  const seen: unknown[] = [];
  const edge = await startEdge({
    routes: [
      {
        method: 'POST',
        path: '/api/v1/echo',
        summary: 's',
        purpose: 'p',
        access: 'open',
        body: z.unknown(),
        query: z.looseObject({}),
        handle: ({ body, query }) => void seen.push(body, query),
      },
    ],
  });
  const next = random(11);
  for (let i = 0; i < 200; i++) {
    const query = i % 2 === 0 ? '?__proto__[polluted]=1' : '?__proto__=1';
    const body = evilJson(next, 4);
    await edge.ask(`/api/v1/echo${query}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    mustBeClean();
  }
  expect(seen.length).toBeGreaterThan(10);
  for (const value of seen) expect(JSON.stringify(value)).not.toMatch(/"__proto__":|"constructor":\{[^}]*"prototype"/);
  await edge.stop();
});

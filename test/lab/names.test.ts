import { expect, test } from 'vitest';
import { hostUuid, isNetnsOf, labNames } from './names.ts';

test.each(['', 'Lab', 'a b', '../x', '-lab', 'wv-lab-h1', 'x'.repeat(33)])('"%s" cannot name a lab', (name) => {
  expect(() => labNames(name)).toThrow(/cannot name a lab/);
});

test("a lab knows its own namespaces and nobody else's", () => {
  const names = labNames('wv-lab');
  expect(['wv-lab', 'wv-lab-h1', 'wv-lab-h12'].filter((netns) => isNetnsOf(names, netns))).toHaveLength(3);
  expect(
    ['wv-lab2', 'wv-lab-h', 'wv-lab-hx', 'wv-lab-b', 'wv-lab-b-h1', 'h1'].filter((n) => isNetnsOf(names, n)),
  ).toEqual([]);
});

test('a host keeps its UUID from start to start and shares it with no other', () => {
  const uuid = hostUuid(labNames('one'), 'h1');
  expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(hostUuid(labNames('one'), 'h1')).toBe(uuid);
  expect(new Set([uuid, hostUuid(labNames('one'), 'h2'), hostUuid(labNames('two'), 'h1')]).size).toBe(3);
});

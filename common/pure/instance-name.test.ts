import { expect, test } from 'vitest';
import { instanceNameFault, isInstanceName } from './instance-name.ts';

test.each(['a', 'web-1', '0a', 'db.prod_2', '1.2', 'a'.repeat(63)])('takes %s', (name) => {
  expect(instanceNameFault(name)).toBeNull();
});

test.each([
  '',
  '1',
  '0042',
  '-rf',
  '--all',
  '.hidden',
  '..',
  'Web',
  'a b',
  'a;b',
  '$(id)',
  '`id`',
  'a/b',
  'a\n',
  'a\u0000b',
  '日本',
  'é',
  'a'.repeat(64),
  '6695eb01-f6a4-8304-79aa-97f2502e193f',
  '6695eb01f6a4830479aa97f2502e193f',
  '6695-eb01f6a4830479aa97f2502e193f',
  '<x/>',
  '%2e%2e',
])('refuses %j', (name) => {
  expect(isInstanceName(name)).toBe(false);
});

import { expect, test } from 'vitest';
import { isWebvirtError } from '../../common/errors.ts';
import { mustWords } from './virsh-words.ts';

const ID = '6695eb01-f6a4-8304-79aa-97f2502e193f';

test('passes known words and UUIDs', () => {
  expect(mustWords(['domstate', '--reason', '--', ID])).toEqual(['domstate', '--reason', '--', ID]);
});

test.each(
  [
    'test',
    '1',
    '--',
    'list;destroy',
    'list --all',
    '$(id)',
    'a\nlist',
    `${ID};quit`,
    `${ID}\n`,
    ` ${ID}`,
    ID.toUpperCase(),
    ID.replaceAll('-', ''),
    '--xpath',
    'vol-delete',
    'qemu-monitor-command',
    'connect',
    'cd',
    'quit',
    '',
    '\u0000',
    '日本',
    '-c',
    '@f',
  ].filter((word) => word !== '--'),
)('refuses %j', (word) => {
  for (const words of [[word], ['domstate', word], [word, ID]]) {
    let error: unknown;
    try {
      mustWords(words);
    } catch (caught) {
      error = caught;
    }
    expect(isWebvirtError(error, 'bad-request')).toBe(true);
  }
});

import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { patternsIn } from '../../test/support/own-patterns.ts';
import { trimEndOf } from './trim-end.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** What reads texts that somebody else wrote, in a process that others need. */
const ROOMS = ['common', 'logging', 'manager', 'node-agent', 'crawler', 'cli'].map((name) => join(ROOT, name));
const CHILD = join(ROOT, 'test/support/own-patterns.ts');
/** More than a hundred times what it takes: only a pattern without an end needs it. */
const LIMIT_MS = 60_000;

describe('our own patterns (S19)', () => {
  it('are found', () => {
    const found = ROOMS.flatMap(patternsIn);
    expect(found.length).toBeGreaterThan(150);
    expect(found.some(({ source }) => source === '^[0-9a-f]{16}$')).toBe(true);
  });

  it('never look for a run at the end of a text: from each place in it they would look to its end', () => {
    const alone = /^(?:\(\?:|\()?(?:\[(?:[^\]\\]|\\.)*\]|\\.|\.)[+*]\)?\$$/;
    const bad = ROOMS.flatMap(patternsIn).filter(({ source }) =>
      source.split(/(?<!\\)\|/).some((part) => alone.test(part)),
    );
    expect(bad.map(({ file, source }) => `${file}: ${source}`)).toEqual([]);
    for (const evil of ['\\s+$', '[\\r\\n\\0]+$', '^a|\\/+$'])
      expect(evil.split('|').some((part) => alone.test(part))).toBe(true);
  });

  it('come to an end on texts that are made to keep them', { timeout: 2 * LIMIT_MS }, async () => {
    const said = await new Promise<string>((done) => {
      const args = ['--import', 'tsx', CHILD, '300', ...ROOMS];
      execFile(process.execPath, args, { cwd: ROOT, timeout: LIMIT_MS, maxBuffer: 2 ** 26 }, (_error, out) =>
        done(out),
      );
    });
    // The last pattern that was told of was also tried; what it hangs on stands there otherwise.
    const last = JSON.parse(said.trimEnd().split('\n').at(-1)!);
    expect(last).toMatchObject({ worstMs: expect.any(Number) });
    expect(said.split('"worstMs"').length - 1).toBe(ROOMS.flatMap(patternsIn).length);
  });
});

describe('trimEndOf', () => {
  it('takes off what a text ends with, and nothing else', () => {
    expect(trimEndOf('a\nb\r\n\0\n', '\r\n\0')).toBe('a\nb');
    expect(trimEndOf('\n\n', '\n')).toBe('');
    expect(trimEndOf('', '\n')).toBe('');
    expect(trimEndOf('a ', '\n')).toBe('a ');
  });

  it('gets through megabytes of what it takes off', () => {
    const text = `${'\n'.repeat(8_000_000)}x`;
    expect(trimEndOf(text, '\n')).toBe(text);
    expect(trimEndOf(`x${text.slice(0, -1)}`, '\n')).toBe('x');
  });
});

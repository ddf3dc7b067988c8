import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { cpioArchive, DIRECTORY, EXECUTABLE, PLAIN_FILE } from './cpio.ts';
import { findProgram } from './requirements.ts';

const entries = [
  { path: 'etc', mode: DIRECTORY },
  { path: 'etc/odd', mode: PLAIN_FILE, data: Buffer.from('12345') },
  { path: 'init', mode: EXECUTABLE, data: Buffer.from('#!/bin/sh\n') },
];

test('every part stands on a multiple of four', () => {
  const archive = cpioArchive(entries);
  expect(archive.length % 4).toBe(0);
  for (let at = archive.indexOf('070701'); at >= 0; at = archive.indexOf('070701', at + 1)) expect(at % 4).toBe(0);
});

test.skipIf(findProgram('cpio') === null)('cpio reads what we write', () => {
  const listing = execFileSync('cpio', ['-itv', '--quiet'], { input: cpioArchive(entries), encoding: 'utf8' });
  expect(listing).toMatch(/^drwxr-xr-x .* etc\n-rw-r--r-- .* 5 .* etc\/odd\n-rwxr-xr-x .* 10 .* init\n$/);
});

import { expect, it } from 'vitest';
import { explainStartError } from './explain.ts';
import { stopInOrder } from './stop-in-order.ts';

it('stops the last first, names what hangs or fails, and goes on', async () => {
  const order: string[] = [];
  const problems: { part: string; reason: string }[] = [];
  const part = (name: string, stop: () => void | Promise<void>) => ({
    name,
    stop: () => {
      order.push(name);
      return stop();
    },
  });
  const parts = [
    part('store', () => undefined),
    part('links', () => Promise.reject(new Error('broken'))),
    part('sockets', () => new Promise<void>(() => undefined)),
    part('port', async () => undefined),
  ];
  await stopInOrder(parts, 20, (problem) => problems.push(problem));
  expect(order).toEqual(['port', 'sockets', 'links', 'store']);
  expect(problems).toEqual([
    { part: 'sockets', reason: 'did not stop within 20 ms' },
    { part: 'links', reason: 'broken' },
  ]);
});

it('says in one line what a person can do', () => {
  const withCode = (code: string, text = 'x') => Object.assign(new Error(text), { code });
  expect(explainStartError(withCode('ENOSPC'), '/d')).toMatch(
    /^disk full: no space is left for \/d \(WEBVIRT_DATA_DIR, ENOSPC\)\. Make room there/,
  );
  // An error of the disk that is not full is not said to be that.
  expect(explainStartError(withCode('SQLITE_IOERR_READ'), '/')).not.toMatch(/disk full/);
  expect(explainStartError(new Error('outer', { cause: withCode('SQLITE_FULL') }), '/d')).toMatch(/^disk full/);
  expect(explainStartError(withCode('SQLITE_NOTADB', 'file is not a database'), '/d')).toContain(
    'put it back from a backup',
  );
  expect(explainStartError(withCode('EROFS', 'read-only'), '/d')).toMatch(/^dataDir: \/d may not be written/);
  expect(explainStartError(new Error('one\ntwo'), '/d')).toBe('one');
  expect(explainStartError('text', '/d')).toBe('text');
});

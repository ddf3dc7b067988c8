import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

// What the spool's transactions promise, with the real spool and a real kill: see `Places`.

const ROOT = resolve(import.meta.dirname, '../..');
const program = join(ROOT, '.cache', 'test', `source-storm-${process.pid}.mjs`);
let folder: string;

beforeAll(async () => {
  mkdirSync(join(ROOT, '.cache', 'test'), { recursive: true });
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' } as const;
  await build({ entryPoints: [join(ROOT, 'test/support/source-storm.ts')], outfile: program, ...options });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-source-kill-'));
  mkdirSync(join(folder, 'logs'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => rmSync(program, { force: true }));

const log = (name: string) => join(folder, 'logs', name);
/** The kernel's clock for files goes on in steps of a few milliseconds. */
const tick = () => new Promise((resolve) => setTimeout(resolve, 60));
/** What was said of one log: its lines are `NAME NUMBER`. */
const numbersOf = (said: string[], name: string) =>
  said.filter((text) => text.startsWith(`${name} `)).map((text) => Number(text.split(' ')[1]));
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

async function run(fail: string, count = 0): Promise<{ end: string; said: string[] }> {
  const argv = [program, join(folder, 'logs'), join(folder, 'spool.sqlite'), fail, String(count)];
  // A point that is never passed ends it too, and the test says which.
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 110_000 });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const [code, signal] = await once(child, 'close');
  return { end: String(signal ?? code), said: text === '' ? [] : JSON.parse(text) };
}

test('killed before, within and after the transactions, with rotations between: every line once, in order', async () => {
  const written = { a: 0, b: 0 };
  const write = (name: 'a' | 'b', lines: number) => {
    let text = '';
    for (let n = 0; n < lines; n += 1, written[name] += 1)
      text += `${name} ${written[name]} ${'x'.repeat(written[name] % 50)}\n`;
    appendFileSync(log(`${name}.log`), text);
  };
  writeFileSync(log('a.log'), '');
  writeFileSync(log('b.log'), '');
  let rotated = 0;
  // The first death comes when the very first look is over: what was there before that is the past.
  for (const [index, fail] of ['A4@1', 'A2@3', 'A3@4', 'A4@3', 'A1@2', 'A2@5', 'A3@9', 'A4@2'].entries()) {
    write('a', 700);
    write('b', 300);
    if (index % 2 === 1) {
      // As logrotate does: each older one a number further.
      rotated += 1;
      for (let n = rotated; n > 0; n -= 1)
        renameSync(n === 1 ? log('a.log') : log(`a.log.${n - 1}`), log(`a.log.${n}`));
      await new Promise((resolve) => setTimeout(resolve, 12));
      write('a', 200);
    }
    expect([fail, (await run(fail)).end]).toEqual([fail, 'SIGKILL']);
  }
  const { end, said } = await run('-', written.a + written.b);
  expect(end).toBe('0');
  for (const name of ['a', 'b'] as const) expect(numbersOf(said, name)).toEqual(upTo(written[name]));
});

test('logs that gave no line yet when the process was killed are read under their new names', async () => {
  writeFileSync(log('empty.log'), '');
  writeFileSync(log('moved.log'), '');
  writeFileSync(log('copied.log'), '');
  for (const name of ['half', 'halfcopied', 'packed']) writeFileSync(log(`${name}.log`), `${name} 0 begun`);
  expect((await run('noted')).end).toBe('SIGKILL');
  await tick();
  const lines = (name: string, from: number, to: number) =>
    appendFileSync(
      log(`${name}.log`),
      upTo(to)
        .slice(from)
        .map((n) => `${name} ${n}\n`)
        .join(''),
    );
  for (const name of ['half', 'halfcopied', 'packed']) appendFileSync(log(`${name}.log`), '\n');
  for (const name of ['empty', 'moved', 'copied']) lines(name, 0, 3);
  for (const name of ['half', 'halfcopied', 'packed']) lines(name, 1, 3);
  // Rotated twice, renamed while nothing new has the name, copied and emptied, and compressed.
  for (const name of ['empty', 'half']) {
    renameSync(log(`${name}.log`), log(`${name}.log.1`));
    await tick();
    lines(name, 3, 5);
    renameSync(log(`${name}.log.1`), log(`${name}.log.2`));
    renameSync(log(`${name}.log`), log(`${name}.log.1`));
    await tick();
    lines(name, 5, 7);
  }
  renameSync(log('moved.log'), log('moved.log.1'));
  for (const name of ['copied', 'halfcopied']) {
    copyFileSync(log(`${name}.log`), log(`${name}.log.1`));
    truncateSync(log(`${name}.log`));
    lines(name, 3, 5);
  }
  writeFileSync(log('packed.log.1.gz'), gzipSync(readFileSync(log('packed.log'))));
  rmSync(log('packed.log'));
  lines('packed', 3, 5);
  const { said } = await run('-', 7 + 7 + 3 + 5 + 5 + 1 + 2);
  for (const [name, count] of [
    ['empty', 7],
    ['half', 7],
    ['moved', 3],
    ['copied', 5],
    ['halfcopied', 5],
  ] as const)
    expect([name, numbersOf(said, name)]).toEqual([name, upTo(count)]);
  expect(numbersOf(said, 'packed')).toEqual([3, 4]);
  expect(said.filter((text) => /rotated away/.test(text)).length).toBe(1);
});

test('logs that came after the first look and were rotated before anything of them was durable are read from the first', async () => {
  expect((await run('noted')).end).toBe('SIGKILL');
  await tick();
  writeFileSync(
    log('new.log'),
    upTo(4)
      .map((n) => `new ${n}\n`)
      .join(''),
  );
  expect((await run('A1@1')).end).toBe('SIGKILL');
  for (let from = 4; from < 8; from += 2) {
    if (from > 4) renameSync(log('new.log.1'), log('new.log.2'));
    renameSync(log('new.log'), log('new.log.1'));
    await tick();
    writeFileSync(log('new.log'), `new ${from}\nnew ${from + 1}\n`);
  }
  // This one nobody has ever seen.
  writeFileSync(log('other.log.1'), 'other 0\n');
  await tick();
  writeFileSync(log('other.log'), 'other 1\n');
  const { said } = await run('-', 10);
  expect(numbersOf(said, 'new')).toEqual(upTo(8));
  expect(numbersOf(said, 'other')).toEqual(upTo(2));
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

// What the spool's transactions promise, with the real spool and a real kill: see `Places`.

const ROOT = resolve(import.meta.dirname, '../..');
const program = join(ROOT, '.cache', 'test', `source-storm-${process.pid}.mjs`);
let folder: string;

beforeAll(async () => {
  mkdirSync(join(ROOT, '.cache', 'test'), { recursive: true });
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' } as const;
  await build({ entryPoints: [join(ROOT, 'test/support/source-storm.ts')], outfile: program, ...options });
  folder = mkdtempSync(join(tmpdir(), 'webvirt-source-kill-'));
  mkdirSync(join(folder, 'logs'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(program, { force: true });
});

async function run(fail: string, count = 0): Promise<{ end: string; said: string[] }> {
  const argv = [program, join(folder, 'logs'), join(folder, 'spool.sqlite'), fail, String(count)];
  // A point that is never passed ends it too, and the test says which.
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const [code, signal] = await once(child, 'close');
  return { end: String(signal ?? code), said: text === '' ? [] : JSON.parse(text) };
}

test('killed before, within and after the transactions, with rotations between: every line once, in order', {
  timeout: 60_000,
}, async () => {
  const log = (name: string) => join(folder, 'logs', name);
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
  // The first death comes when both logs are known: of one that nobody has noted nobody knows how it is called once it was
  // rotated.
  for (const [index, fail] of ['A1@12', 'A2@3', 'A3@4', 'A4@3', 'A1@2', 'A2@5', 'A3@9', 'A4@2'].entries()) {
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
  for (const name of ['a', 'b'] as const) {
    const numbers = said.filter((text) => text.startsWith(`${name} `)).map((text) => Number(text.split(' ')[1]));
    expect(numbers).toEqual(Array.from({ length: written[name] }, (_, n) => n));
  }
});

import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ROOT } from '../support/program.ts';

// SageMath is brought while WebVirt runs already. Here apt-get is a program of ours, and SageMath a file.

type Bring = (options: Record<string, unknown>) => { stop(): void };
const { bringSage } = (await import(pathToFileURL(join(ROOT, 'scripts/parts/sage.mjs')).href)) as { bringSage: Bring };

const dir = mkdtempSync(join(tmpdir(), 'webvirt-sage-'));
const at = (name: string) => join(dir, name);
const can = process.getuid?.() === 0 && existsSync('/etc/debian_version');
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(() => {
  for (const name of ['there', 'log', 'downloading']) rmSync(at(name), { force: true });
});

/** An apt-get that ends with this code after a download, or never ends one, and then has brought SageMath, or not. */
function aptGet({ code = 0, brings = true, hangs = false } = {}): string {
  const path = at('apt-get.mjs');
  const text = `#!${process.execPath}
import { writeFileSync } from 'node:fs';
console.log(process.argv.slice(2).join(' '));
const words = process.argv;
if (words.includes('--download-only')) {
  writeFileSync('${at('downloading')}', '');
  if (${hangs}) setInterval(() => {}, 1000);
  else process.exit(${code});
} else if (words.includes('install') && ${brings}) writeFileSync('${at('there')}', '');
`;
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

function bringing(options: Record<string, unknown>) {
  const said: string[] = [];
  let installed = () => {};
  const whenInstalled = new Promise<void>((resolve) => {
    installed = resolve;
  });
  const missing = async ([name]: string[]) => (name === 'sagemath' && !existsSync(at('there')) ? [name] : []);
  let heard = () => {};
  const whenSaid = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      heard = () => said.some((line) => pattern.test(line)) && resolve();
      heard();
    });
  const say = (line: string) => {
    said.push(line);
    heard();
  };
  const sage = bringSage({ say, logPath: at('log'), onInstalled: installed, wish: undefined, missing, ...options });
  return { sage, said, whenInstalled, whenSaid };
}

describe.runIf(can)('SageMath', () => {
  test('is fetched, then installed; what it costs and how to leave it out is said', async () => {
    const { said, whenInstalled } = bringing({ aptGet: aptGet() });
    await whenInstalled;
    expect(said.join('\n')).toMatch(
      /600 MB, 2 GB on disk[\s\S]*WEBVIRT_SAGE=no leaves it out\.[\s\S]*SageMath is installed/,
    );
    const [update, fetched, unpacked] = readFileSync(at('log'), 'utf8').split('\n');
    expect([update, fetched]).toEqual([
      'update -qq',
      expect.stringMatching(/--no-install-recommends.*--download-only/),
    ]);
    expect(unpacked).toMatch(/^install .*-- sagemath$/);
  });

  test('that cannot be had is said with apt’s last words, and what to do', async () => {
    const { said, whenSaid } = bringing({ aptGet: aptGet({ code: 100 }) });
    await whenSaid(/Python only\. To try by hand: apt-get install --no-install-recommends sagemath/);
    expect(said.join('\n')).toMatch(/could not be installed: .*--download-only.*log\)/);
  });

  test('is not asked for again when it is there or not wanted', async () => {
    const looked: string[] = [];
    const missing = async ([name]: string[]) => {
      looked.push(name!);
      return [];
    };
    const options = { aptGet: at('no-such-program'), missing };
    expect(bringing(options).said).toEqual([]);
    expect(bringing({ aptGet: at('no-such-program'), wish: 'no' }).said).toEqual([]);
    expect(looked).toEqual(['sagemath']);
    expect(existsSync(at('log'))).toBe(false);
  });

  test('that is still on its way is left off when WebVirt stops', async () => {
    const folder = watch(dir);
    const { sage, said } = bringing({ aptGet: aptGet({ hangs: true }) });
    while (!existsSync(at('downloading'))) await once(folder, 'change');
    folder.close();
    const before = said.length;
    sage.stop();
    expect(said).toHaveLength(before);
    expect(existsSync(at('there'))).toBe(false);
  });
});

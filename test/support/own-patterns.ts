// A program for the test of our own regular expressions: gives each one found in the sources texts on which a pattern
// that goes back and forth would take for ever, and says how long the worst took. Arguments: characters, then folders.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface Found {
  file: string;
  source: string;
  flags: string;
}

const LITERAL =
  /(?:^|[(,=:[!&|?{};]|=>|\breturn\b)\s*\/((?:[^/\\\n[*]|\\.|\[(?:[^\]\\\n]|\\.)*\])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])*)\/([dgimsuvy]*)(?=\s*(?:[),;.\]}:?&|]|$))/gm;

/** Regular expressions as they stand in the sources of a folder, tests left out. */
export function patternsIn(folder: string): Found[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === 'node_modules' || name === 'dist' || name === 'dev') return [];
    if (statSync(path).isDirectory()) return patternsIn(path);
    if (!/\.ts$/.test(name) || /\.(?:test|testing)\.ts$/.test(name)) return [];
    const text = readFileSync(path, 'utf8');
    return [...text.matchAll(LITERAL)].map(([, source, flags]) => ({ file: path, source: source!, flags: flags! }));
  });
}

/** Characters and pairs by which a pattern may go round, with something behind them that it does not expect. */
function textsFor(source: string, length: number): string[] {
  const plain = source.replace(/\\[dwsbSWDB]|\\u\{?[0-9a-f]+\}?|[\\^$.*+?()[\]{}|]/gi, '');
  const single = new Set([...'a0 -._"/:=<,\n\r\t{', ...plain]);
  const texts = [...single].map((char) => char.repeat(length));
  const pairs = ['a ', ' a', 'a.', 'a-', '0.', '0:', 'a=', '=a', ', ', '\r\n', '\\"', '<a', 'aA'];
  for (const pair of pairs) texts.push(pair.repeat(length / 2));
  const ends = ['', '\u0001', '!\n', 'a\u0001'];
  const starts = [...new Set(['', plain.slice(0, 1), plain.slice(0, 3)])];
  return texts.flatMap((text) => starts.flatMap((start) => ends.map((end) => start + text + end)));
}

const [length = '0', ...folders] = process.argv.slice(2);
if (Number(length) > 0) {
  for (const { file, source, flags } of folders.flatMap(patternsIn)) {
    let worstMs = 0;
    let worst = '';
    // Told first: whoever waits for us knows on which one we hang.
    process.stdout.write(`${JSON.stringify({ file, source })}\n`);
    for (const text of textsFor(source, Number(length))) {
      const pattern = new RegExp(source, flags.replaceAll('y', '').replaceAll('g', ''));
      const startedMs = performance.now();
      pattern.test(text);
      const tookMs = performance.now() - startedMs;
      if (tookMs > worstMs) [worstMs, worst] = [tookMs, text.slice(0, 4)];
    }
    process.stdout.write(`${JSON.stringify({ file, source, worstMs: Math.round(worstMs), worst })}\n`);
  }
}

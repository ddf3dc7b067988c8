const KIB = 1_024;
/** Where a frame of the spool is closed. */
const FRAME_CHARS = 192 * KIB;

/**
 * Bodies that have broken roads of lines before: empty, one byte, controls, line ends of every kind, half a pair of
 * surrogates, what looks like our own words, and lengths at and around every edge.
 */
const BODIES: readonly string[] = [
  '',
  'x',
  'two\nlines',
  'cr\r\nlf\r',
  '\0',
  'a\0b\0',
  '\u001b[31mred\u001b[0m \u001b]52;c;aGk=\u0007',
  'é日本😀\u0301 \u202egnp.exe \u200b\ufeff',
  '\ud800 half',
  '\u2028\u2029\u0085',
  '{"n":1,"message":["forged"]}',
  "'; DROP TABLE lines; --",
  '{"__proto__":{"polluted":true}}',
  '\\u0000 \\ud800 \\',
  'l'.repeat(3_000),
];
/** Long ones, rarely. */
const LONG: readonly number[] = [FRAME_CHARS - 1, FRAME_CHARS, FRAME_CHARS + 1, 64 * KIB, KIB * KIB - 100];
const LONG_EVERY = 401;

/** What line `i` of a run says: known to everybody without being told. */
export function bodyOf(run: string, i: number): string {
  const long = i % LONG_EVERY === LONG_EVERY - 1 ? LONG[Math.floor(i / LONG_EVERY) % LONG.length] : undefined;
  const body = long === undefined ? BODIES[i % BODIES.length]! : 'z'.repeat(long);
  return `${run}:${i}:${body}`;
}

/** The same as a store of UTF-8 text has it: half a pair is the replacement character. */
export function storedBodyOf(run: string, i: number): string {
  return bodyOf(run, i).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

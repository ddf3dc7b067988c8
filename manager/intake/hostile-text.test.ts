import { readdirSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEVELS, type NewLine } from '../../common/model/line.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { ConsoleTransport } from '../../logging/console-transport.ts';
import { createLogger } from '../../logging/logger.ts';
import { FakeSpool } from '../../test/support/fake-spool.ts';
import { MARKUP_TEXTS, TERMINAL_TEXTS } from '../../test/support/hostile-texts.ts';
import { A, createRig, type Rig } from '../../test/support/intake-rig.ts';
import { exportHead, exportLine } from '../api/logs/present.ts';

/** What must never leave towards a terminal or a text file as it is: C0 but tab and line end, DEL, C1, bidi, hidden. */
const ACTING =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\u00ad]|[\ud800-\udfff]/u;
const FORMATS = ['text', 'csv', 'ndjson'] as const;

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.end());

const said = (message: string, more: Partial<NewLine> = {}): NewLine => ({
  ...{ tsMs: 1_000, level: 'info', source: 'agent', message },
  ...more,
});

async function stored(lines: NewLine[]) {
  const spool = new FakeSpool();
  expect(await rig.accept(spool.add(lines))).toMatchObject([{ t: 'ack' }]);
  return rig.stored();
}

describe('texts that try to be more than text', () => {
  it('are stored as they are, and leave for terminals and files as what can be seen (S7, S8)', async () => {
    expect([new Set(MARKUP_TEXTS).size, new Set(TERMINAL_TEXTS).size > 400]).toEqual([300, true]);
    const all = [...MARKUP_TEXTS, ...TERMINAL_TEXTS];
    const lines = await stored(all.map((text) => said(`begin ${text} end`, { unit: text, fields: { [text]: text } })));
    // A lone half of a character is none in UTF-8: it becomes the mark for that, and nothing else changes.
    expect(lines.map(({ message }) => message)).toEqual(all.map((text) => Buffer.from(`begin ${text} end`).toString()));
    for (const line of lines) {
      expect(visibleText(line.message)).not.toMatch(ACTING);
      for (const format of FORMATS) {
        const text = exportLine(format, line);
        expect(text.replace(/\r?\n$/, ''), format).not.toMatch(ACTING);
        expect(text.replace(/\r?\n$/, '').split('\n'), `${format}: one row`).toHaveLength(1);
      }
    }
  });

  it('of a program are one row on its standard error, whatever is in them (S8)', () => {
    // All of it fits: nothing is left out because nobody reads.
    const out = new PassThrough({ highWaterMark: 2 ** 24 });
    const transport = new ConsoleTransport({ source: 'agent', out });
    for (const text of TERMINAL_TEXTS)
      transport.log({ level: 'info', message: text, [text]: text, [Symbol.for('level')]: 'info' }, () => undefined);
    const rows = String(out.read()).split('\n');
    expect(rows.pop()).toBe('');
    expect(rows).toHaveLength(TERMINAL_TEXTS.length);
    for (const row of rows) expect(row).not.toMatch(ACTING);
  });
});

/** Small, seeded, the same everywhere. */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const PIECES = [
  ...[
    '\n',
    '\r\n',
    '\r',
    '\u2028',
    '\u2029',
    '\u0085',
    '\0',
    '\t',
    '"',
    '\\',
    '\\n',
    '\\u000a',
    '{',
    '}',
    ',',
    ':',
    '[',
    ']',
  ],
  ...[
    '"level":"error"',
    '"message":"x"',
    '"level":"info","level":"error"',
    '"agent":"manager"',
    '"tsMs":0',
    'error: ',
    'agent ',
  ],
  ...[
    '2026-11-21T00:00:00.000Z error forged',
    '<11>1 - - su - - -',
    '__proto__',
    'constructor',
    '%s',
    '%n',
    '{{x}}',
    'ä',
    '😀',
    '\u202e',
  ],
];

it('one event in is one event out, and what it says of itself changes nothing (S9)', async () => {
  const next = random(9);
  const texts = Array.from({ length: 2_000 }, () =>
    Array.from({ length: next(9) }, () => PIECES[next(PIECES.length)]!).join(''),
  );
  // Through the logger, as every program of ours says its lines.
  const given: NewLine[] = [];
  const sinks = [{ add: (line: NewLine) => void given.push(line) }];
  const log = createLogger({ program: 'agent', level: 'debug', stderr: false, sinks, now: () => 7 });
  const levels = texts.map(() => LEVELS[next(LEVELS.length)]!);
  for (const [i, text] of texts.entries())
    log.log(levels[i]!, text, {
      message: text,
      level: 'error',
      source: 'manager',
      agent: 'manager',
      tsMs: 0,
      [text]: text,
    });
  expect(given).toHaveLength(texts.length);

  const lines = await stored(given);
  expect(lines.map(({ message }) => message)).toEqual(texts);
  for (const [i, line] of lines.entries()) {
    expect([line.level, line.source, line.agent, line.host, line.tsMs]).toEqual([
      levels[i],
      'agent',
      A.agent,
      A.hostId,
      7,
    ]);
    expect(line.id).toBe(`${A.agent}.${line.id.split('.')[1]}.${i}`);
  }
  for (const format of FORMATS) {
    const rows = (exportHead(format) + lines.map((line) => exportLine(format, line)).join('')).trimEnd().split(/\r?\n/);
    expect(rows, format).toHaveLength(texts.length + (format === 'csv' ? 1 : 0));
  }
});

const LIES = [
  ...[
    '../../etc/passwd',
    '/etc/passwd',
    '..\\..\\x',
    '%2e%2e%2f',
    '.',
    '..',
    '',
    ' ',
    'a\0b',
    'a\nb',
    '__proto__',
    'constructor',
  ],
  ...['manager', 'crawler', 'external', 'b'.repeat(32), 'bbbb.cccc.0', '<b>', '\u202e', 'x'.repeat(5_000)],
];

it(`an agent is who its certificate says, in ${LIES.length} ways of saying otherwise (S10)`, async () => {
  const before = readdirSync('.');
  const lines = await stored(
    LIES.map((lie, i) => {
      const claims = { agent: lie, host: lie, hostName: lie, id: `${lie}.0.0`, receivedMs: 1, sortMs: 1, ordinal: 1 };
      const tags = { unit: lie, instance: lie, job: lie, session: lie };
      return {
        ...said(`lie ${i}`, { ...tags, fields: claims }),
        ...claims,
        source: i % 2 === 0 ? 'manager' : 'crawler',
      } as NewLine;
    }),
  );
  expect(lines).toHaveLength(LIES.length);
  for (const [i, line] of lines.entries()) {
    expect(line).toMatchObject({
      agent: A.agent,
      host: A.hostId,
      hostName: A.hostName,
      source: 'agent',
      message: `lie ${i}`,
    });
    expect([line.receivedMs, line.sortMs]).toEqual([rig.nowMs, undefined]);
    expect(line.unit ?? '').toBe(LIES[i]);
  }
  // Another one with the same numbers stands beside it: neither takes the other's place.
  const B = { agent: 'b'.repeat(32), hostId: 'b'.repeat(32), hostName: 'beta' };
  expect(await rig.intake.acceptFrames(B, [new FakeSpool().add([said('of b')])])).toMatchObject([{ t: 'ack' }]);
  expect(await rig.stored()).toHaveLength(LIES.length);
  expect(readdirSync('.')).toEqual(before);
  expect(({} as Record<string, unknown>)['agent']).toBeUndefined();
});

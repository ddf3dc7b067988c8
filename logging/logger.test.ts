import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import winston from 'winston';
import type { NewLine } from '../common/model/line.ts';
import { ConsoleTransport, consoleText } from './console-transport.ts';
import { createLogger, errorFields } from './logger.ts';
import { SpoolTransport } from './spool-transport.ts';

function collect(level: 'info' | 'debug' = 'debug') {
  const lines: NewLine[] = [];
  const sinks = [{ add: (line: NewLine) => void lines.push(line) }];
  return { lines, log: createLogger({ program: 'agent', level, stderr: false, sinks, now: () => 7 }) };
}

describe('createLogger', () => {
  test('known keys move to the line, the rest become fields', () => {
    const { lines, log } = collect();
    log.warn('disk is slow', { instance: 'i', job: 'j', session: 's', unit: 'u', delayMs: 12 });
    expect(lines).toEqual([
      {
        tsMs: 7,
        level: 'warn',
        source: 'agent',
        message: 'disk is slow',
        instance: 'i',
        job: 'j',
        session: 's',
        unit: 'u',
        fields: { delayMs: 12 },
      },
    ]);
  });
  test('one call is one line, newlines inside stay inside', () => {
    const { lines, log } = collect();
    log.info('a\nb\r\n2026 error forged');
    expect(lines.map((line) => line.message)).toEqual(['a\nb\r\n2026 error forged']);
  });
  test('meta.message and meta.level neither change the message nor the level', () => {
    const { lines, log } = collect();
    log.info('call failed', { message: 'secret text', level: 'error', source: 'manager' });
    expect(lines[0]).toMatchObject({ message: 'call failed', level: 'info', source: 'agent' });
    expect(lines[0]?.fields).toEqual({ message: 'secret text', level: 'error', source: 'manager' });
  });
  test('percent signs are text', () => {
    const { lines, log } = collect();
    log.info('100%s done %d', { part: 3 });
    expect(lines[0]).toMatchObject({ message: '100%s done %d', fields: { part: 3 } });
  });
  test('silly, verbose and http are debug; info hides them', () => {
    const { lines, log } = collect();
    for (const level of ['silly', 'verbose', 'http', 'debug']) log.log(level, level);
    expect(lines.map((line) => line.level)).toEqual(['debug', 'debug', 'debug', 'debug']);
    const quiet = collect('info');
    quiet.log.debug('x');
    expect(quiet.lines).toEqual([]);
  });
  test('errors are told once, with code and cause', () => {
    const { lines, log } = collect();
    const cause = new Error('inner');
    const error = Object.assign(new Error('outer', { cause }), { code: 'EIO' });
    log.error('it broke', errorFields(error));
    log.error('it broke', error);
    log.error(error);
    for (const line of lines) {
      expect(line.fields?.['error']).toMatchObject({ message: 'outer', code: 'EIO', cause: { message: 'inner' } });
      expect(Object.keys(line.fields ?? {})).toEqual(['error']);
    }
    expect(lines.map((line) => line.message)).toEqual(['it broke', 'it broke', 'outer']);
  });
  test('fields that JSON cannot say do not throw', () => {
    const { lines, log } = collect();
    const loop: Record<string, unknown> = { big: 1n, at: new Date(0), not: Number.NaN };
    loop['self'] = loop;
    Object.defineProperty(loop, 'trap', { enumerable: true, get: () => JSON.parse('{') });
    log.info('odd', { loop, ['__proto__x']: 1 });
    expect(JSON.parse(JSON.stringify(lines[0]?.fields))).toEqual({
      __proto__x: 1,
      loop: { big: '1', at: '1970-01-01T00:00:00.000Z', not: 'NaN', self: '[circular]', trap: '[unreadable]' },
    });
  });
  test('a child logger keeps its fields', () => {
    const { lines, log } = collect();
    log.child({ unit: 'links' }).info('up', { n: 1 });
    expect(lines[0]).toMatchObject({ unit: 'links', fields: { n: 1 } });
  });
});

describe("winston's transport contract", () => {
  const makers = {
    spool: () => new SpoolTransport({ sink: { add() {} }, source: 'agent' }),
    console: () => new ConsoleTransport({ source: 'agent', out: new PassThrough() }),
  };
  for (const [name, make] of Object.entries(makers)) {
    test(`${name}: log() calls back once and emits logged with the info`, async () => {
      const transport = make();
      const info = { level: 'info', message: 'hello', [Symbol.for('level')]: 'info' };
      const logged = new Promise((resolve) => transport.once('logged', resolve));
      let calls = 0;
      transport.log(info, () => {
        calls += 1;
      });
      expect(await logged).toBe(info);
      expect(calls).toBe(1);
    });
    test(`${name}: obeys its own level and silent`, () => {
      const transport = make();
      transport.level = 'warn';
      let count = 0;
      transport.log = (_info, next) => {
        count += 1;
        next();
      };
      const log = winston.createLogger({ level: 'silly', transports: [transport] });
      log.info('no');
      log.error('yes');
      transport.silent = true;
      log.error('no');
      expect(count).toBe(1);
    });
  }
});

describe('consoleText', () => {
  test('shows hostile text on one harmless line', () => {
    const text = consoleText({
      tsMs: 0,
      level: 'info',
      source: 'agent',
      message: 'a\u001b]52;c;x\u0007\nforged',
      fields: { 'k\n': 'v w\u202e', n: 1 },
    });
    expect(text).toBe('1970-01-01T00:00:00.000Z info  a␛]52;c;x␇␊forged k␊="v w\\u202e" n=1');
  });
});

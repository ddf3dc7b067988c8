import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import winston from 'winston';
import type TransportStream from 'winston-transport';

/** What a call left behind at the far end of a transport. */
export interface Arrived {
  level: string;
  message: string;
  text?: string;
  fields?: Record<string, unknown>;
}

export interface TransportRig {
  transport: TransportStream;
  /** Everything that has arrived so far, in order of calls, once so many have. */
  arrived(count: number): Promise<Arrived[]>;
  stop(): Promise<void>;
}

/** What winston expects of every transport; `make` is given the options that winston itself defines. */
export function transportContract(
  name: string,
  make: (options: TransportStream.TransportStreamOptions) => Promise<TransportRig>,
): void {
  const rigs: TransportRig[] = [];
  const made = async (options: TransportStream.TransportStreamOptions = {}) => {
    const rig = await make(options);
    rigs.push(rig);
    return rig;
  };
  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.stop();
  });
  const loggerOf = (transport: TransportStream, options: winston.LoggerOptions = {}) =>
    winston.createLogger({ level: 'silly', transports: [transport], exitOnError: false, ...options });

  describe(`${name}: a transport of winston`, () => {
    test('log() calls back at once, once, and emits logged with the info', async () => {
      const { transport, arrived } = await made();
      const info = { level: 'info', message: 'hello', [Symbol.for('level')]: 'info' };
      const logged = once(transport, 'logged');
      let calls = 0;
      transport.log!(info, () => {
        calls += 1;
      });
      expect(calls).toBe(1);
      expect((await logged)[0]).toBe(info);
      expect(await arrived(1)).toMatchObject([{ level: 'info', message: 'hello' }]);
      expect(calls).toBe(1);
    });

    test('what one turn logs arrives once, in order, with its fields', async () => {
      const { transport, arrived } = await made();
      const log = loggerOf(transport);
      for (let i = 0; i < 1_200; i++) log.info(`line ${i}`, { i });
      const lines = await arrived(1_200);
      expect(lines.map((line) => line.fields?.['i'])).toEqual(Array.from({ length: 1_200 }, (_, i) => i));
      expect(lines[7]).toMatchObject({ level: 'info', message: 'line 7' });
    });

    test('its own level goes before that of the logger; silent says nothing', async () => {
      const { transport, arrived } = await made({ level: 'warn' });
      const log = loggerOf(transport);
      log.info('no');
      log.error('first');
      transport.silent = true;
      log.error('no');
      transport.silent = false;
      log.warn('second');
      expect((await arrived(2)).map((line) => line.message)).toEqual(['first', 'second']);
    });

    test('the level of the logger holds where it has none', async () => {
      const { transport, arrived } = await made();
      const log = loggerOf(transport, { level: 'warn' });
      log.info('no');
      log.warn('yes');
      log.level = 'info';
      log.info('now');
      expect((await arrived(2)).map((line) => line.message)).toEqual(['yes', 'now']);
    });

    test('levels of the program own', async () => {
      const { transport, arrived } = await made();
      const log = loggerOf(transport, { levels: { loud: 0, quiet: 1 }, level: 'quiet' });
      log.log('quiet', 'a');
      log.log('loud', 'b');
      expect((await arrived(2)).map(({ level }) => level)).toEqual(['quiet', 'loud']);
    });

    test('formats of logger and transport are applied: what they take away stays away', async () => {
      const hide = winston.format((info) => {
        const { password, ...rest } = info;
        return password === undefined ? info : (rest as typeof info);
      });
      const format = winston.format.printf(({ level, message }) => `<${level}> ${message}`);
      const { transport, arrived } = await made({ format });
      const log = loggerOf(transport, { format: winston.format.combine(winston.format.colorize(), hide()) });
      log.info('signed in', { user: 'ann', password: 'hunter2' });
      const [line] = await arrived(1);
      expect(line).toMatchObject({ level: 'info', message: 'signed in', fields: { user: 'ann' } });
      expect(line?.text).toMatch(/signed in$/);
      expect(JSON.stringify(line)).not.toContain('hunter2');
    });

    test('a format that lets a line fall, or throws, harms nobody else', async () => {
      const format = winston.format((info) => {
        if (info.message === 'throws') throw new Error('format');
        return info.message === 'falls' ? false : info;
      });
      const { transport, arrived } = await made({ format: format() });
      const log = loggerOf(transport);
      log.info('falls');
      expect(() => log.info('throws')).toThrow('format');
      log.info('stays');
      expect((await arrived(1)).map((line) => line.message)).toEqual(['stays']);
    });

    test('exceptions only where it handles them', async () => {
      const [deaf, hears] = [await made(), await made({ handleExceptions: true })];
      const log = winston.createLogger({ transports: [deaf.transport, hears.transport], exitOnError: false });
      log.write({ level: 'error', message: 'uncaught', exception: true, [Symbol.for('level')]: 'error' });
      log.info('after');
      expect((await hears.arrived(2)).map((line) => line.message)).toEqual(['uncaught', 'after']);
      expect((await deaf.arrived(1)).map((line) => line.message)).toEqual(['after']);
      log.exceptions.unhandle();
    });

    test('odd values never throw: errors, cycles, big integers, objects as message', async () => {
      const { transport, arrived } = await made();
      const log = loggerOf(transport);
      const loop: Record<string, unknown> = { big: 1n };
      loop['self'] = loop;
      log.info('odd', { loop });
      log.error(new Error('broken'));
      log.info({ some: 'object' });
      log.info(undefined as unknown as string);
      const lines = await arrived(4);
      expect(lines[0]?.fields).toEqual({ loop: { big: '1', self: '[circular]' } });
      expect(lines[1]).toMatchObject({ level: 'error', message: 'broken' });
      expect(JSON.stringify(lines[1]?.fields)).toContain('transport-contract');
    });

    test('end() of the logger delivers everything before finish', async () => {
      const { transport, arrived } = await made();
      const log = loggerOf(transport);
      for (let i = 0; i < 300; i++) log.info(`line ${i}`);
      const finished = once(transport, 'finish');
      log.end();
      await finished;
      expect(await arrived(300)).toHaveLength(300);
    });

    test('taken out of its logger it delivers what it has, and hears nothing more', async () => {
      const { transport, arrived } = await made();
      const log = loggerOf(transport, { transports: [transport, new winston.transports.Console({ silent: true })] });
      log.info('before');
      log.remove(transport);
      log.info('after');
      expect((await arrived(1)).map((line) => line.message)).toEqual(['before']);
    });
  });
}

import { describe, expect, it } from 'vitest';
import { createAllowList } from './allow-list.ts';
import { createFraming } from './framing.ts';
import { readSyslog } from './parse.ts';

const NOW = new Date(2024, 0, 2, 12).getTime();
function read(text: string | Buffer) {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text);
  const line = readSyslog({ bytes, wholeBytes: bytes.length }, '192.0.2.1', 'syslog-udp', NOW);
  const { sender, via, ...fields } = line.fields!;
  expect([sender, via, line.source]).toEqual(['192.0.2.1', 'syslog-udp', 'external']);
  return { ...line, fields };
}

describe('RFC 5424', () => {
  it.each([
    ['<14>1 - h a - - -  seq 1', 'seq 1'],
    ['<14>1 - h a - - -    at line 7', '   at line 7'],
    ['<14>1 - h a - - -  ', ''],
  ])('takes off the blank that rsyslog puts in front: %j', (text, message) => {
    const sent = { bytes: Buffer.from(text), wholeBytes: text.length };
    expect(readSyslog(sent, '127.0.0.1', 'syslog-tcp', 0).message).toBe(message);
  });

  it('reads every part, and structured data with its escapes', () => {
    const line = read(
      '<165>1 2003-10-11T22:14:15.003456+02:00 mymachine evntslog 8710 ID47 [exampleSDID@32473 iut="3" q="a \\"b\\" \\\\ \\] c\\n"][gap reason="x"] \ufeffAn application',
    );
    expect(line).toMatchObject({ level: 'info', unit: 'evntslog', message: 'An application' });
    expect(line.tsMs).toBe(Date.parse('2003-10-11T20:14:15.003Z'));
    expect(line.fields).toEqual({
      ...{ facility: 'local4', severity: 'notice', hostname: 'mymachine', procid: '8710', msgid: 'ID47' },
      'exampleSDID@32473': { iut: '3', q: 'a "b" \\ ] c\\n' },
      'external.gap': { reason: 'x' },
    });
  });

  it('takes nil for nothing', () => {
    expect(read('<14>1 - - - - - -')).toMatchObject({ tsMs: NOW, message: '', level: 'info' });
    expect(read('<11>1 - - app - - - text')).toMatchObject({ unit: 'app', message: 'text', level: 'error' });
  });

  it.each([
    ['<14>1 soon h a - - - text', 'the time is none', 'text'],
    ['<14>1 - h a - - [x y="1" text', 'the structured data is not whole', '[x y="1" text'],
    ['<14>1 - h a - - [x y=1] text', 'the structured data is not whole', '[x y=1] text'],
    ['<14>1 - h', 'the header of RFC 5424 is not whole', '1 - h'],
  ])('keeps %s as text and marks it', (text, malformed, message) => {
    expect(read(text)).toMatchObject({ message, fields: { malformed } });
  });
});

describe('RFC 3164 and what is sent in its name', () => {
  it.each([
    [
      '<34>Oct 11 22:14:15 mymachine su: failed for lonvick',
      'mymachine',
      'su',
      undefined,
      'failed for lonvick',
      'error',
    ],
    ['<13>Jan  2 11:00:00 web-1 sshd[4711]: hello: you', 'web-1', 'sshd', '4711', 'hello: you', 'info'],
    ['<12>Jan  2 11:00:00 kernel: [1.5] usb', undefined, 'kernel', undefined, '[1.5] usb', 'warn'],
    ['<15>2024-01-02T11:00:00.5Z h app[1]: m', 'h', 'app', '1', 'm', 'debug'],
    ['<13>sudo: no time at all', undefined, 'sudo', undefined, 'no time at all', 'info'],
    ['<13>just words', undefined, undefined, undefined, 'just words', 'info'],
  ])('%s', (text, hostname, unit, procid, message, level) => {
    const line = read(text);
    expect([line.unit, line.message, line.level]).toEqual([unit, message, level]);
    expect([line.fields['hostname'], line.fields['procid']]).toEqual([hostname, procid]);
    expect(line.fields['malformed']).toBeUndefined();
  });

  it('puts a time without a year next to now', () => {
    expect(read('<13>Dec 31 23:59:59 h a: x').tsMs).toBe(new Date(2023, 11, 31, 23, 59, 59).getTime());
    expect(read('<13>Jan  2 12:00:05 h a: x').tsMs).toBe(NOW + 5_000);
    expect(read('<13>Foo 99 12:00:05 h a: x')).toMatchObject({ tsMs: NOW, fields: { malformed: 'the time is none' } });
  });

  it('keeps what is no syslog, and never makes two lines of one', () => {
    expect(read('GET / HTTP/1.1\r\n')).toMatchObject({
      message: 'GET / HTTP/1.1',
      fields: { malformed: 'no priority' },
    });
    expect(read('<999>x')).toMatchObject({ message: '<999>x', level: 'info' });
    expect(read('<13>a: one\n<11>b: two\u2028\u0085\0three\n').message).toBe('one\n<11>b: two\u2028\u0085\0three');
    expect(read(Buffer.from([60, 49, 51, 62, 0xff, 0xfe, 65]))).toMatchObject({
      message: '��A',
      fields: { notUtf8: true },
    });
  });

  it('is read in a time that grows with its length alone', () => {
    const evil = [
      ' '.repeat(60_000),
      `<14>1 - - - - - ${'['.repeat(60_000)}`,
      `<14>1 - - - - - [a b="${'\\'.repeat(60_000)}`,
    ];
    evil.push(
      `<13>${'a'.repeat(60_000)}`,
      `<14>1 - - - - - ${'[a b="c"]'.repeat(7_000)}x`,
      `<13>Jan  2 11:00:00 ${'a'.repeat(60_000)}`,
    );
    for (const text of evil) expect(read(text).message.length).toBeGreaterThan(-1);
  });
});

describe('messages in a stream', () => {
  const stream = Buffer.from('11 <13>a: one\n\n<13>b: two\r\n0 x\n12x\n20 <13>c: \u00e9\nmore lines<13>last');
  const expected = ['<13>a: one\n', '<13>b: two\r', '0 x', '12x', '<13>c: \u00e9\nmore lines', '<13>last'];

  it('are the same however it was cut', () => {
    for (let size = 1; size <= stream.length; size += 1) {
      const framing = createFraming(1_000);
      const found = [];
      for (let at = 0; at < stream.length; at += size) found.push(...framing.push(stream.subarray(at, at + size)));
      const last = framing.end();
      if (last !== null) found.push(last);
      expect(
        found.map(({ bytes }) => Buffer.from(bytes).toString()),
        `by ${size}`,
      ).toEqual(expected);
    }
  });

  it('are cut at the limit, told how long they were, and the next one is whole', () => {
    const framing = createFraming(8);
    const found = framing.push(Buffer.from(`100 ${'x'.repeat(100)}${'y'.repeat(50)}\nnext\n30 <13>broken`));
    const last = framing.end()!;
    expect([...found, last].map(({ bytes, wholeBytes }) => [Buffer.from(bytes).toString(), wholeBytes])).toEqual([
      ['x'.repeat(8), 100],
      ['y'.repeat(8), 50],
      ['next', 4],
      ['<13>brok', 10],
    ]);
    expect(last.brokenOff).toBe(true);
  });
});

it('knows addresses and blocks of both families', () => {
  const allows = createAllowList(['192.0.2.7', '10.20.0.0/16', '2001:db8::/32']);
  expect(['192.0.2.7', '10.20.255.1', '2001:db8::1'].map(allows)).toEqual([true, true, true]);
  expect(['192.0.2.8', '10.21.0.1', '2001:db9::1', '', 'x'].map(allows)).toEqual([false, false, false, false, false]);
  for (const bad of ['x', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/8'])
    expect(() => createAllowList([bad]), bad).toThrow(RangeError);
});

import { describe, expect, it } from 'vitest';
import { isWebvirtError } from '../../errors.ts';
import { parseQuery } from './parse.ts';

function faultOf(text: string): { position: unknown; message: string } {
  try {
    parseQuery(text);
  } catch (error) {
    if (isWebvirtError(error, 'bad-query')) return { position: error.details['position'], message: error.message };
  }
  throw new Error(`${text} was accepted`);
}

describe('parseQuery', () => {
  it('reads words, phrases, fields, negation and patterns', () => {
    expect(parseQuery('Disk "timed out" -level:debug host:"My Host" /port \\d+/i -/x\\/y/').terms).toEqual([
      { kind: 'text', text: 'disk', not: false },
      { kind: 'text', text: 'timed out', not: false },
      { kind: 'field', field: 'level', pieces: ['debug'], not: true },
      { kind: 'field', field: 'host', pieces: ['my host'], not: false },
      { kind: 'regex', source: 'port \\d+', ignoreCase: true, not: false, at: 45 },
      { kind: 'regex', source: 'x/y', ignoreCase: false, not: true, at: 57 },
    ]);
  });

  it('takes what is pasted from a log as text', () => {
    const texts = ['/var/log/libvirt', 'http://host:1/x', '12:30:01', 'error: disk', '-', 'a-b', '/', "it's", '50%'];
    for (const text of texts) {
      for (const term of parseQuery(text).terms) expect(term.kind, text).toBe('text');
    }
    expect(parseQuery('error: disk').terms).toHaveLength(2);
    expect(parseQuery('  ').terms).toEqual([]);
  });

  it('knows wildcards outside quotes only', () => {
    expect(parseQuery('unit:libvirt*d').terms).toEqual([
      { kind: 'field', field: 'unit', pieces: ['libvirt', 'd'], not: false },
    ]);
    expect(parseQuery('unit:"a*"').terms).toEqual([{ kind: 'field', field: 'unit', pieces: ['a*'], not: false }]);
    expect(parseQuery('-job:*').terms).toEqual([{ kind: 'present', field: 'job', not: true }]);
    expect(parseQuery('gap.reason:cap').terms).toEqual([
      { kind: 'field', field: 'gap.reason', pieces: ['cap'], not: false },
    ]);
  });

  it('says where it stopped and what to try', () => {
    expect(faultOf('disk "timed')).toMatchObject({ position: 5, message: expect.stringContaining('quotation mark') });
    expect(faultOf('a level:')).toMatchObject({ position: 2, message: expect.stringContaining('level:error') });
    expect(faultOf('level:warning')).toMatchObject({ message: expect.stringContaining('error, warn, info, debug') });
    expect(faultOf('x source:kernel').position).toBe(2);
    expect(faultOf('""').message).toContain('nothing between');
    expect(faultOf('x '.repeat(65)).message).toContain('64 terms');
    expect(faultOf('x'.repeat(2_001)).message).toContain('2000 characters');
  });
});

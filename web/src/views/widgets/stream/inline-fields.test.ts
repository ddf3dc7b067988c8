import { describe, expect, it } from 'vitest';
import { inlineFields } from './inline-fields.ts';

describe('the fields in a row', () => {
  it('tells two lines of one message apart, short pairs first', () => {
    const id = '86923d27306294bf7dc50546e518157e';
    expect(inlineFields({ host: id, hostName: 'h2', before: 'stale', now: 'online', reused: false, tries: 0 })).toBe(
      ` hostName=h2 before=stale now=online reused=false tries=0 host=${id}`,
    );
  });

  it('leaves out what columns show, what is empty, deep or long, and quotes what has spaces', () => {
    const fields = {
      job: 'j1',
      instance: 'u1',
      error: null,
      name: '',
      list: [1],
      deep: { a: 1 },
      text: 'x'.repeat(90),
    };
    expect(inlineFields({ ...fields, place: '10.0.0.1 4601' })).toBe(' place="10.0.0.1 4601"');
    expect(inlineFields(fields)).toBe('');
    expect(inlineFields(undefined)).toBe('');
  });

  it('shows nothing that acts, in keys and values alike, and stays one row of any number', () => {
    expect(inlineFields({ '\u001b[2J': 'a\nb\u202e' })).toBe(' \u241b[2J=a\u240ab\\u202e');
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`key${index}`, 'v'.repeat(20)]));
    expect(inlineFields(many).length).toBeLessThan(400);
  });
});

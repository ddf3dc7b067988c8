import { describe, expect, it } from 'vitest';
import type { OutputEvent } from '../../common/model/compute.ts';
import { deathText, showEvent, textFor } from './output-event.ts';

function shown(...events: OutputEvent[]) {
  const seen = { out: '', err: '', images: [] as [string, string][] };
  const sinks = {
    out(text: string) {
      seen.out += text;
    },
    err(text: string) {
      seen.err += text;
    },
    image(type: string, data: Buffer) {
      seen.images.push([type, data.toString()]);
      return 'saved';
    },
  };
  for (const event of events) showEvent(event, sinks);
  return seen;
}
const bundle = (data: Record<string, string>): OutputEvent => ({ type: 'result', cell: 1, data });

describe('the output of a computation', () => {
  it('goes to the stream it was written to, as it came; a value gets its own line', () => {
    const { out, err } = shown(
      { type: 'stdout', cell: 1, text: 'a' },
      { type: 'stderr', cell: 1, text: 'b' },
      { type: 'stdout', cell: 1, text: '\n' },
      bundle({ 'text/plain': '42', 'text/latex': '$42$' }),
    );
    expect([out, err]).toEqual(['a\n42\n', 'b']);
  });

  it('shows a traceback, and an error without one by its name', () => {
    const error = { type: 'error', cell: 1, name: 'ZeroDivisionError', message: 'by zero' } as const;
    expect(shown({ ...error, traceback: 'Traceback…' }).err).toBe('Traceback…\n');
    expect(shown({ ...error, traceback: '' }).err).toBe('ZeroDivisionError: by zero\n');
  });

  it('hands images on as bytes, once, and keeps their text from the output', () => {
    const png = { 'text/plain': '<Figure>', 'image/png': Buffer.from('png!').toString('base64') };
    const { out, err, images } = shown(bundle(png), bundle({ 'image/svg+xml': '<svg/>' }));
    expect(images).toEqual([
      ['image/png', 'png!'],
      ['image/svg+xml', '<svg/>'],
    ]);
    expect([out, err]).toEqual(['', 'saved\nsaved\n']);
  });

  it('says how much was not kept, and why a session ended, without what would steer a terminal', () => {
    expect(shown({ type: 'skipped', cell: 1, bytes: 2048, reason: 'the limit' }).err).toContain('2 KiB');
    const text = deathText({ cause: 'out-of-memory', text: 'at 512 MiB\x1b[2J' });
    expect(text).toMatch(/needed more memory.*at 512 MiB/);
    expect(text).not.toContain('\x1b');
  });

  it('is text on a terminal, and untouched in a pipe', () => {
    const hostile = 'a\x1b]0;title\x07\r\n\u202eb\n';
    expect(textFor({ isTTY: true }, hostile)).toBe('a␛]0;title␇\n\\u202eb\n');
    expect(textFor({}, hostile)).toBe(hostile);
  });
});

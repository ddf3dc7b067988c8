import { expect, it } from 'vitest';
import { checksText } from './migrate.ts';

it('shows what keeps an instance from moving first, and nothing that acts', () => {
  const text = checksText(
    { name: 'web' },
    {
      ...{ instance: 'u', target: 'h', targetName: 'host-2', live: true, movable: false },
      checks: [
        { check: 'name', verdict: 'ok', text: 'The name is free.' },
        { check: 'clock', verdict: 'warn', text: 'The clocks differ.' },
        { check: 'disk', verdict: 'fail', text: 'Not seen there.\x1b[2J' },
      ],
    },
  );
  const lines = text.split('\n');
  expect(lines[0]).toBe('web cannot move to host-2 while it runs');
  expect(lines.slice(2).map((line) => line.split(/\s+/)[0])).toEqual(['fail', 'warn', 'ok']);
  expect(text).not.toContain('\x1b');
});

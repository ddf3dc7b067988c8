import { expect, test } from 'vitest';
import { addEventValue, parseEventLine } from './virsh-event-line.ts';

const AT = '2026-11-21 08:05:11.812+0000';

test('a lifecycle event', () => {
  expect(parseEventLine(`${AT}: event 'lifecycle' for domain 'g1': Started Booted`)).toEqual({
    tsMs: Date.UTC(2026, 10, 21, 8, 5, 11, 812),
    kind: 'lifecycle',
    readings: [{ name: 'g1', detail: 'Started Booted' }],
    values: {},
  });
});

test('an event without detail, and one with values after it', () => {
  expect(parseEventLine(`${AT}: event 'reboot' for domain '1'`)?.readings).toEqual([{ name: '1', detail: '' }]);
  const event = parseEventLine(`${AT}: event 'job-completed' for domain 'g1':`);
  expect(event?.readings).toEqual([{ name: 'g1', detail: '' }]);
  expect(event && addEventValue(event, '\toperation: 2')).toBe(true);
  expect(event && addEventValue(event, 'events received: 0')).toBe(false);
  expect(event?.values).toEqual({ operation: '2' });
});

test('a name with quotes has several readings, longest first', () => {
  const event = parseEventLine(`${AT}: event 'lifecycle' for domain 'a': Stopped x 'b': Defined Added`);
  expect(event?.readings).toEqual([
    { name: "a': Stopped x 'b", detail: 'Defined Added' },
    { name: 'a', detail: "Stopped x 'b': Defined Added" },
  ]);
});

test.each([
  '',
  'events received: 0',
  "event 'lifecycle'",
  `${AT}: event 'x' for domain`,
  `${AT}: event 'x' for domain 'y`,
])('is not an event: %j', (line) => {
  expect(parseEventLine(line)).toBeNull();
});

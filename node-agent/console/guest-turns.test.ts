import { expect, test } from 'vitest';
import type { NewLine } from '../../common/model/line.ts';
import { eventLine } from '../libvirt/event-line.ts';
import { addEventValue, parseEventLine } from '../libvirt/virsh-event-line.ts';
import { createGuestTurns, type GuestTurn } from './guest-turns.ts';

const ID = 'aaaaaaaa-0000-4000-8000-000000000001';

/** The line that the agent says when `virsh event` prints this. */
function lineOf(printed: string): NewLine {
  const event = parseEventLine(`2026-11-21 08:05:11.494+0000: event ${printed}`)!;
  addEventValue(event, '\tnone: 1');
  return eventLine(event, event.readings[0]!, ID);
}

test.each([
  ["'lifecycle' for domain 'web': Started Booted", 'started'],
  ["'lifecycle' for domain 'web': Started Restored", 'started'],
  ["'reboot' for domain 'web'", 'reset'],
  ["'lifecycle' for domain 'web': Crashed Panicked", 'crashed'],
  ["'lifecycle' for domain 'web': Stopped Failed", 'crashed'],
  ["'lifecycle' for domain 'web': Stopped Destroyed", undefined],
  ["'lifecycle' for domain 'web': Stopped Migrated", undefined],
  ["'lifecycle' for domain 'web': Resumed Unpaused", undefined],
])('%s', (printed, kind) => {
  const turns = createGuestTurns();
  const heard: GuestTurn[] = [];
  const leave = turns.on((turn) => heard.push(turn));
  turns.hear(lineOf(printed));
  expect(heard).toEqual(kind === undefined ? [] : [{ id: ID, kind, tsMs: Date.UTC(2026, 10, 21, 8, 5, 11, 494) }]);
  // A guest, or a log, that says the same is not libvirt.
  turns.hear({ ...lineOf(printed), source: 'console' });
  leave();
  turns.hear(lineOf(printed));
  expect(heard.length).toBe(kind === undefined ? 0 : 1);
});

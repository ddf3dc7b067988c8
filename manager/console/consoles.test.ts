import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebvirtError } from '../../common/errors.ts';
import { createBus } from '../bus/bus.ts';
import type { ConsoleState } from './ports.ts';
import { type ConsolesWorld, consolesWorld, INSTANCE } from './testing.ts';

let world: ConsolesWorld;
beforeEach(() => {
  vi.useFakeTimers();
  world = consolesWorld(
    createBus((error) => {
      throw error;
    }),
    { recentBytes: 100, queueBytes: 50, lingerMs: 1_000 },
  );
});
afterEach(() => {
  world.consoles.stop();
  vi.useRealTimers();
});

/** Somebody who looks, in step unless told. */
function viewer(options: { write?: boolean; force?: boolean } = {}) {
  const seen = { text: '', skipped: 0, states: [] as ConsoleState[], room: true };
  const open = world.consoles.open(
    { instance: INSTANCE, write: options.write ?? true, force: options.force ?? false, actor: 'admin@localhost' },
    {
      hasRoom: () => seen.room,
      data(data, skipped) {
        seen.text += Buffer.from(data, 'base64').toString();
        seen.skipped += skipped;
      },
      state: (state) => seen.states.push(state),
    },
  );
  seen.text = open.recent().toString();
  open.begin();
  return { seen, open };
}
const soon = () => vi.advanceTimersByTimeAsync(0);

it('asks the agent once for all who look, shows the last lines to a newcomer, and gives it back when all have gone', async () => {
  const first = viewer();
  await soon();
  world.say('old\r\n');
  const second = viewer();
  await soon();
  expect(world.asked).toHaveLength(1);
  expect(world.asked[0]!.args).toMatchObject({ instance: INSTANCE, force: false, backlog: true });
  expect(second.seen.text).toBe('old\r\n');
  world.say('new');
  expect([first.seen.text, second.seen.text]).toEqual(['old\r\nnew', 'old\r\nnew']);
  expect(second.seen.states).toEqual([{ host: 'h1', hostName: 'lab-h1', ended: null }]);
  first.open.type('l');
  second.open.type('s\r');
  expect(world.keys()).toBe('ls\r');

  first.open.close();
  second.open.close();
  // Who reloads the page finds it as it was.
  await vi.advanceTimersByTimeAsync(900);
  const third = viewer();
  expect(third.seen.text).toBe('old\r\nnew');
  third.open.close();
  await vi.advanceTimersByTimeAsync(900);
  expect(world.closed()).toBe(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(world.closed()).toBe(1);
  viewer();
  expect(world.asked).toHaveLength(2);
});

it('takes keys of nobody who only looks, and none while it is not connected', async () => {
  const { open } = viewer({ write: false });
  await soon();
  expect(() => open.type('rm')).toThrow(expect.objectContaining({ code: 'forbidden' }));
  const writer = viewer();
  world.end('The instance is shutoff.');
  expect(() => writer.open.type('x')).toThrow(expect.objectContaining({ code: 'wrong-state' }));
  expect(world.keys()).toBe('');
});

it('writes down who opened and closed it, and no key', async () => {
  const { open } = viewer();
  await soon();
  open.type('the secret password\r');
  open.close();
  expect(world.audits.map(({ message }) => message)).toEqual(['Serial console opened', 'Serial console closed']);
  expect(world.audits[0]!.fields).toMatchObject({
    ...{ source: 'audit', instance: INSTANCE, actor: 'admin@localhost', write: true },
  });
  expect(JSON.stringify(world.audits)).not.toContain('secret');
});

it('keeps the newest bytes for a slow viewer, counts the rest, and does not slow the others', async () => {
  const slow = viewer();
  const quick = viewer();
  await soon();
  slow.seen.room = false;
  for (let i = 0; i < 30; i += 1) world.say(`line ${String(i).padStart(3, '0')}\n`);
  expect(quick.seen.text.length).toBe(270);
  expect(slow.seen.text).toBe('');
  slow.seen.room = true;
  slow.open.pump();
  expect(slow.seen.text.length + slow.seen.skipped).toBe(270);
  expect(slow.seen.text.endsWith('line 029\n')).toBe(true);
  expect(slow.seen.text.length).toBeLessThanOrEqual(50);
  // What the agent skipped counts as well, and a newcomer begins with a whole line.
  world.say('on\n', 1_000);
  expect(slow.seen.skipped).toBe(220 + 1_000);
  expect(viewer().seen.text).toMatch(/^line 0\d\d\n/);
});

it('tells the agent what has come, so that it sends on', async () => {
  viewer();
  await soon();
  for (let i = 0; i < 3; i += 1) world.say('x'.repeat(40_000));
  const acks = world.sent.flatMap(({ message }) => (message.t === 'console-ack' ? [message.bytes] : []));
  expect(acks).toEqual([80_000]);
});

it('is connected again by itself when the guest is on again, and says where after a move', async () => {
  const { seen } = viewer();
  await soon();
  world.place.state = 'shutoff';
  world.end('The instance is shutoff.');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(world.asked).toHaveLength(1);
  world.place.state = 'running';
  world.changed();
  await soon();
  expect(world.asked).toHaveLength(2);
  Object.assign(world.place, { host: 'h2', hostName: 'lab-h2' });
  world.changed();
  await soon();
  expect(world.newest().host).toBe('h2');
  expect(seen.states.map(({ hostName, ended }) => [hostName, ended])).toEqual([
    ['lab-h1', null],
    ['lab-h1', 'The instance is shutoff.'],
    ['lab-h1', null],
    ['lab-h1', 'The instance moved to lab-h2.'],
    ['lab-h2', null],
  ]);
});

it('says when the link is down, and is connected again when it is up', async () => {
  const { seen } = viewer();
  await soon();
  world.up.delete('h1');
  world.consoles.hostService.down('h1');
  world.changed();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(world.asked).toHaveLength(1);
  world.up.add('h1');
  world.consoles.hostService.up('h1');
  await soon();
  expect(seen.states.map(({ ended }) => ended)).toEqual([null, 'The host does not answer now.', null]);
});

it('goes on trying while somebody on the host has it, and takes it only from who is asked to', async () => {
  world.refuse(new WebvirtError('busy', 'Somebody has this console open.'));
  const { seen } = viewer();
  await vi.advanceTimersByTimeAsync(100);
  expect(world.asked.length).toBeGreaterThan(3);
  expect(world.asked.every(({ args }) => args['force'] === false)).toBe(true);
  expect(seen.states).toMatchObject([{ ended: 'Somebody has this console open.', code: 'busy' }]);
  world.refuse(null);
  viewer({ force: true });
  await soon();
  expect(world.newest().args['force']).toBe(true);
  expect(seen.states.at(-1)!.ended).toBeNull();
});

it('takes no bytes of another host or of an earlier console', async () => {
  const { seen } = viewer();
  await soon();
  const { id } = world.newest();
  world.consoles.hostService.take('h2', { t: 'console-data', id, data: 'eHg=' });
  world.end('gone');
  world.consoles.hostService.take('h1', { t: 'console-data', id, data: 'eHg=' });
  expect(seen.text).toBe('');
});

import { afterEach, beforeEach, expect, it } from 'vitest';
import { A, B, crawlerRig, finding, host } from '../../test/support/crawler-rig.ts';

let rig: ReturnType<typeof crawlerRig>;
beforeEach(() => {
  rig = crawlerRig();
});
afterEach(() => rig.stop());

it('keeps one candidate per agent, with its first and last sight', async () => {
  await rig.found(finding());
  rig.clock.nowMs += 70_000;
  await rig.found(finding({ version: '0.2.0' }));
  expect(rig.state.candidates.list()).toEqual([
    { ...finding({ version: '0.2.0' }), firstSeenMs: 1_000_000, lastSeenMs: 1_070_000, vanished: false },
  ]);
});

it('remembers what an agent claimed before it was enrolled', async () => {
  await rig.found(finding());
  await rig.found(finding({ state: 'enrolled-elsewhere', version: null, claimedName: null }));
  expect(rig.state.candidates.get(A)).toMatchObject({
    state: 'enrolled-elsewhere',
    version: '0.1.0',
    claimedName: 'h',
  });
});

it('writes an unchanged finding seldom', async () => {
  await rig.found(finding());
  rig.changed.length = 0;
  rig.clock.nowMs += 5_000;
  await rig.found(finding());
  expect(rig.changed).toEqual([]);
  rig.clock.nowMs += 60_000;
  await rig.found(finding());
  expect(rig.changed).toEqual([A]);
});

it('decides by itself who is enrolled here', async () => {
  await rig.found(finding({ state: 'enrolled-here' }));
  expect(rig.state.candidates.get(A)?.state).toBe('enrolled-elsewhere');
  rig.state.hosts.put(host());
  await rig.found(finding({ state: 'enrolled-elsewhere' }));
  expect(rig.state.candidates.get(A)?.state).toBe('enrolled-here');
  rig.state.hosts.put(host({ revokedMs: 5 }));
  await rig.found(finding({ state: 'enrolled-here' }));
  expect(rig.state.candidates.get(A)?.state).toBe('enrolled-elsewhere');
  // It lost its papers: the admin must be able to enrol it again.
  rig.state.hosts.put(host());
  await rig.found(finding());
  expect(rig.state.candidates.get(A)?.state).toBe('unenrolled');
});

it('alarms once when another key answers at the address of an enrolled host, or its own key elsewhere', async () => {
  rig.state.hosts.put(host());
  for (let i = 0; i < 3; i += 1) {
    await rig.found(finding({ id: B }));
    await rig.found(finding({ address: '10.0.0.9', state: 'enrolled-here' }));
  }
  expect(rig.alarms.map((alarm) => alarm.message)).toEqual([
    'another key answers at the address of an enrolled host',
    'an enrolled agent answers at another address than its host',
  ]);
});

it('marks agents that vanish, and drops strangers', async () => {
  await rig.found(finding(), finding({ id: null, address: '10.0.0.6', state: 'not-an-agent', claimedName: null }));
  expect(rig.state.candidates.list()).toHaveLength(2);
  await rig.send('crawler:vanished', {
    scanId: 's',
    list: [
      { address: '10.0.0.5', port: 4601 },
      { address: '10.0.0.6', port: 4601 },
    ],
  });
  expect(rig.state.candidates.list()).toMatchObject([{ id: A, vanished: true }]);
  await rig.found(finding());
  expect(rig.state.candidates.get(A)?.vanished).toBe(false);
});

it('puts the new tenant of an address in the place of the old one', async () => {
  await rig.found(finding({ id: null, state: 'not-an-agent' }));
  await rig.found(finding());
  expect(rig.state.candidates.list()).toMatchObject([{ id: A }]);
  await rig.found(finding({ id: B }));
  expect(rig.state.candidates.get(A)?.vanished).toBe(true);
  expect(rig.state.candidates.get(B)?.vanished).toBe(false);
});

it('does not show again what was dismissed, until it is something else', async () => {
  await rig.found(finding());
  expect(rig.inbox.dismiss(A)).toBe(true);
  rig.clock.nowMs += 70_000;
  await rig.found(finding());
  expect(rig.state.candidates.list()).toEqual([]);
  // Over a restart too.
  const again = rig.openInbox();
  again.merge(finding());
  expect(rig.state.candidates.list()).toEqual([]);
  await rig.found(finding({ state: 'enrolled-elsewhere' }));
  expect(rig.state.candidates.list()).toHaveLength(1);
  expect(rig.inbox.dismiss('nobody')).toBe(false);
});

it.each([
  ['an address that is none', finding({ address: '<b>' })],
  ['IPv6', finding({ address: '::1' })],
  ['an id that is none', finding({ id: 'x' })],
  ['a long name', finding({ claimedName: 'n'.repeat(256) })],
  ['a port that is none', finding({ port: 70_000 })],
  ['a rig.state nobody has', finding({ state: 'friend' as never })],
])('takes no finding with %s', async (_, bad) => {
  await expect(rig.found(bad)).rejects.toThrow();
  await expect(rig.found(...Array.from({ length: 501 }, () => finding()))).rejects.toThrow();
  expect(rig.state.candidates.list()).toEqual([]);
});

it('follows a candidate that was enrolled', async () => {
  await rig.found(finding());
  rig.state.hosts.put(host({ enrolledMs: rig.clock.nowMs + 1 }));
  rig.bus.emit('host', { id: A });
  expect(rig.state.candidates.get(A)?.state).toBe('enrolled-here');
});

import { expect, test } from 'vitest';
import { instanceState, parseDomstate } from './domain-state.ts';
import { isNoDomain, parseDominfo, parseDomstats, parseUuidNames, parseUuids, statsState } from './virsh-text.ts';

const A = 'aaaaaaaa-0000-4000-8000-000000000001';
const B = 'aaaaaaaa-0000-4000-8000-000000000009';

test('names by UUID, with names that libvirt takes and nobody should give', () => {
  expect([...parseUuidNames(`${A} 1\n${B} a b  c'\n\nerror: x\n`)]).toEqual([
    [A, '1'],
    [B, "a b  c'"],
  ]);
  expect([...parseUuids(`${A}\n${B} \n\n`)]).toEqual([A, B]);
});

test('dominfo', () => {
  const text = `Id:             4\nName:           g2: x\nUUID:           ${A}\nOS Type:        hvm\nState:          running
CPU(s):         1\nCPU time:       0.5s\nMax memory:     32768 KiB\nUsed memory:    32768 KiB\nPersistent:     yes
Autostart:      disable\nManaged save:   no\nMessages:       tainted\n                UUID: ${B}\n`;
  expect(parseDominfo(text)).toEqual({
    uuid: A,
    name: 'g2: x',
    state: 'running',
    persistent: true,
    autostart: false,
    managedSave: false,
    cpuTimeSeconds: 0.5,
    usedMemoryBytes: 33_554_432,
  });
  expect(parseDominfo('')).toBeNull();
});

test('domstats by name', () => {
  const stats = parseDomstats("Domain: 'it's'\n  state.state=5\n  state.reason=2\n\nDomain: '1'\n  state.state=1\n");
  expect(statsState(stats.get("it's"))).toEqual({ word: 'shut off', reason: 'destroyed' });
  expect(statsState(stats.get('1'))).toEqual({ word: 'running', reason: undefined });
  expect(statsState(stats.get('2'))).toBeNull();
});

test.each([
  ['running (booted)\n', 'running', 'booted', false],
  ['shut off (destroyed)\n', 'shutoff', 'destroyed', false],
  ['shut off (saved)\n', 'saved', 'saved', true],
  ['shut off (crashed)\n', 'crashed', 'crashed', false],
  ['crashed (panicked)\n', 'crashed', 'panicked', false],
  ['paused (user)\n', 'paused', 'user', false],
  ['in shutdown (unknown)\n', 'shutting-down', undefined, false],
  ['pmsuspended (unknown)\n', 'paused', undefined, false],
])('%j is %s', (text, state, reason, saved) => {
  const read = parseDomstate(text);
  expect(read?.reason).toBe(reason);
  expect(read && instanceState(read, saved)).toBe(state);
});

test('knows when a domain is gone', () => {
  expect(parseDomstate('')).toBeNull();
  expect(isNoDomain(`error: failed to get domain '${A}'`)).toBe(true);
  expect(isNoDomain('error: Disconnected')).toBe(false);
});

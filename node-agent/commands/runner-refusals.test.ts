import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandRig, command, commandRig, ended, ONE, TWO, throwsCode } from '../../test/support/command-rig.ts';
import type { CommandHypervisor } from './command-hypervisor.ts';

let rig: CommandRig;
beforeEach(async () => {
  rig = await commandRig();
});
afterEach(() => rig.stop());

test.each([
  ['resume', 'shutoff'],
  ['pause', 'shutoff'],
  ['reboot', 'shutoff'],
  ['reset', 'shutoff'],
  ['save', 'shutoff'],
  ['restore', 'shutoff'],
])('%s of one that is %s is refused with what to do', async (verb) => {
  const commands = rig.runner();
  await ended(commands, command('force-off'));
  const report = await ended(commands, command(verb));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'wrong-state' } });
  expect(rig.sent.length).toBe(1);
});

test('an older fencing token is refused, across restarts', async () => {
  const first = rig.runner();
  await ended(first, command('pause', { fence: 7 }));
  await rig.end(first);
  const second = rig.runner();
  expect(await ended(second, command('resume', { fence: 6 }))).toMatchObject({ error: { code: 'stale-token' } });
  expect(await ended(second, command('resume', { fence: 6 }))).toMatchObject({ error: { code: 'stale-token' } });
  expect(await ended(second, command('pause', { fence: 1, instance: TWO }))).toMatchObject({ state: 'done' });
  expect(await ended(second, command('resume', { fence: 7 }))).toMatchObject({ state: 'done' });
});

test('what is too old, unknown or malformed does nothing', async () => {
  const commands = rig.runner();
  expect(await ended(commands, command('pause', { expiresMs: Date.now() - 1 }))).toMatchObject({
    error: { code: 'expired' },
  });
  for (const one of [
    command('undefine'),
    command('toString'),
    command('pause', { instance: null }),
    command('pause', { args: { mode: '; reboot' } }),
    command('pause', { args: { timeoutMs: 0.5 } }),
  ])
    expect(await ended(commands, one)).toMatchObject({ state: 'failed', error: { code: 'bad-request' } });
  const absent = 'aaaaaaaa-0000-4000-8000-0000000000ff';
  expect(await ended(commands, command('start', { instance: absent }))).toMatchObject({ error: { code: 'not-found' } });
  for (const bad of [{ instance: '1' }, { instance: `${ONE};` }, { opId: 'x' }, { opId: '../../../../etc' }])
    expect(throwsCode(() => commands.submit(command('pause', bad)), 'bad-request')).toBe(true);
  expect(rig.sent).toEqual([]);
});

test('virsh that does not answer in time is unknown, not failed, unless it can be seen', async () => {
  const never: CommandHypervisor['run'] = (_words, _id, options) => {
    options.onStart?.(null);
    return Promise.resolve({ ended: 'deadline', stdout: '', stderr: '' });
  };
  const commands = rig.runner({ run: never });
  expect(await ended(commands, command('pause'))).toMatchObject({ state: 'unknown', error: { code: 'timeout' } });
  const late = rig.runner(
    {
      run: async (words, id, options) => {
        await rig.hypervisor.run(words, id, options);
        return { ended: 'deadline', stdout: '', stderr: '' };
      },
    },
    { journalPath: join(rig.folder, 'late.sqlite') },
  );
  expect(await ended(late, command('pause'))).toMatchObject({ state: 'done', result: { state: 'paused' } });
});

test('with libvirt known to be silent nothing is sent', async () => {
  const commands = rig.runner({ facts: () => ({ libvirtAnswers: false }) });
  expect(await ended(commands, command('pause'))).toMatchObject({ error: { code: 'libvirt-unavailable' } });
  expect(rig.sent).toEqual([]);
});

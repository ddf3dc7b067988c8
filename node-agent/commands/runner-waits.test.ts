import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandRig, command, commandRig, ended, gated, ONE, TWO } from '../../test/support/command-rig.ts';
import type { CommandHypervisor } from './command-hypervisor.ts';
import { openJournal } from './journal.ts';
import { processStart } from './process-start.ts';

let rig: CommandRig;
beforeEach(async () => {
  rig = await commandRig();
});
afterEach(() => rig.stop());

/** A guest that hears the request and goes on running. */
const deaf: CommandHypervisor['run'] = async (words, id, options) => {
  if (words[0] !== 'shutdown') return rig.hypervisor.run(words, id, options);
  options.onStart?.(null);
  return { ended: 'exit', code: 0, signal: null, stdout: '', stderr: '' };
};

/** Resolves once the operation waits for its guest. */
async function waiting(opId: string): Promise<void> {
  while (!rig.lines.some(({ job, fields }) => job === opId && fields?.['state'] === 'running'))
    await new Promise((resolve) => setImmediate(resolve));
  await rig.hypervisor.observe(ONE);
  await rig.hypervisor.observe(ONE);
}

test('a shutdown is done when the guest is off, however it came about', async () => {
  const commands = rig.runner({ run: deaf });
  const one = command('shutdown');
  const report = ended(commands, one);
  await waiting(one.opId);
  expect(commands.report(one.opId)).toMatchObject({ state: 'running', final: false });
  await rig.hypervisor.run(['destroy'], ONE, { deadlineMs: 60_000 });
  await rig.hypervisor.observe(ONE);
  expect(await report).toMatchObject({ state: 'done', result: { state: 'shutoff' } });
});

test('a guest that does not follow is told honestly, and stays as it is', async () => {
  const commands = rig.runner({ run: deaf });
  const report = await ended(commands, command('shutdown', { args: { timeoutMs: 20 } }));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'timeout' } });
  expect(report.error?.message).toContain('force it off');
  expect((await rig.hypervisor.observe(ONE))?.state).toBe('running');
});

test('force-off takes over from a waiting shutdown, and nothing else does', async () => {
  const commands = rig.runner({ run: deaf });
  const one = command('shutdown');
  const first = ended(commands, one);
  await waiting(one.opId);
  expect(await ended(commands, command('reset'))).toMatchObject({ error: { code: 'busy' } });
  const second = await ended(commands, command('force-off', { actor: 'bea' }));
  expect(second).toMatchObject({ state: 'done', result: { state: 'shutoff' } });
  expect(await first).toMatchObject({ state: 'cancelled', error: { code: 'op-cancelled' } });
  expect((await first).error?.message).toContain('force-off of bea');
  expect(commands.report(one.opId)).toEqual(await first);
});

test('a wait can be cancelled; what has begun and cannot be stopped is not', async () => {
  const commands = rig.runner({ run: deaf });
  const one = command('shutdown');
  const report = ended(commands, one);
  await waiting(one.opId);
  expect(commands.cancel(one.opId)).toBe(true);
  expect(await report).toMatchObject({ state: 'cancelled' });
  expect(commands.cancel(one.opId)).toBe(false);

  const gate = gated(rig.hypervisor.run);
  const slow = rig.runner({ run: gate.run }, { journalPath: join(rig.folder, 'slow.sqlite') });
  const two = command('reset', { instance: TWO });
  const other = ended(slow, two);
  expect(slow.cancel(two.opId)).toBe(false);
  gate.open();
  expect(await other).toMatchObject({ state: 'done' });
});

/** Leaves an operation behind as an agent that was killed does. */
function abandoned(verb: string, pid: number | null): string {
  const journal = openJournal({ path: join(rig.folder, 'journal.sqlite'), capRows: 100 });
  const { opId, ...rest } = command(verb);
  journal.add({ opId, ...rest }, { nowMs: 1, beforeState: 'running', emergency: false });
  if (pid !== null) journal.started(opId, { nowMs: 2, pid, pidStart: processStart(pid) });
  journal.close();
  return opId;
}

async function recovered(opId: string, config = {}) {
  const commands = rig.runner({ run: deaf }, config);
  const report = new Promise((resolve) => commands.on((one) => one.opId === opId && one.final && resolve(one)));
  await commands.start();
  return { commands, report };
}

test('after a restart the instance decides: as wanted is done, else nobody knows', async () => {
  const resumed = abandoned('resume', null);
  expect(await (await recovered(resumed)).report).toMatchObject({ state: 'done', result: { observed: true } });
  for (const verb of ['pause', 'reset']) {
    const report = (await recovered(abandoned(verb, null))).report;
    expect(await report).toMatchObject({ state: 'unknown', error: { code: 'timeout' } });
  }
  expect(rig.sent).toEqual([]);
});

test('a virsh that outlived the agent is waited for', async () => {
  const child = spawn('sleep', ['60']);
  const opId = abandoned('pause', child.pid ?? 0);
  const { commands, report } = await recovered(opId);
  expect(await ended(commands, command('reset'))).toMatchObject({ error: { code: 'busy' } });
  for (let looks = 0; looks < 3; looks += 1) await rig.hypervisor.observe(ONE);
  expect(commands.report(opId)?.final).toBe(false);
  await rig.hypervisor.run(['suspend'], ONE, { deadlineMs: 60_000 });
  child.kill();
  await once(child, 'exit');
  expect(await report).toMatchObject({ state: 'done', result: { state: 'paused' } });
});

test('after a restart a shutdown is waited for again', async () => {
  const { report } = await recovered(abandoned('shutdown', null), { shutdownWaitMs: 10_000 });
  await rig.hypervisor.run(['destroy'], ONE, { deadlineMs: 60_000 });
  await rig.hypervisor.observe(ONE);
  expect(await report).toMatchObject({ state: 'done', result: { state: 'shutoff' } });
});

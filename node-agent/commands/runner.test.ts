import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  type CommandRig,
  command,
  commandRig,
  ended,
  gated,
  ONE,
  TWO,
  throwsCode,
} from '../../test/support/command-rig.ts';
import { done } from './outcomes.ts';
import { defineProcedure } from './procedures/procedure.ts';

let rig: CommandRig;
beforeEach(async () => {
  rig = await commandRig();
});
afterEach(() => rig.stop());

test('an operation is journalled, run, seen and told in lines', async () => {
  const commands = rig.runner();
  const one = command('pause');
  const report = await ended(commands, one);
  expect(report).toMatchObject({
    state: 'done',
    verb: 'pause',
    instance: ONE,
    error: null,
    result: { state: 'paused' },
  });
  expect(rig.hypervisor.instance(ONE)?.state).toBe('paused');
  expect(commands.unacked().map(({ opId }) => opId)).toEqual([one.opId]);
  commands.acked(one.opId);
  expect(commands.unacked()).toEqual([]);
  expect(rig.lines.map(({ fields, job, instance }) => [fields?.['state'], job, instance])).toEqual(
    ['planned', 'running', 'done'].map((state) => [state, one.opId, ONE]),
  );
});

test('every verb, and the same verb again is no second effect', async () => {
  const commands = rig.runner();
  const walk: [verb: string, state: string, noop: boolean][] = [
    ['start', 'running', true],
    ['pause', 'paused', false],
    ['pause', 'paused', true],
    ['resume', 'running', false],
    ['resume', 'running', true],
    ['reboot', 'running', false],
    ['reset', 'running', false],
    ['autostart-on', 'running', false],
    ['autostart-on', 'running', true],
    ['autostart-off', 'running', false],
    ['autostart-off', 'running', true],
    ['restore', 'running', true],
    ['force-off', 'shutoff', false],
    ['force-off', 'shutoff', true],
    ['shutdown', 'shutoff', true],
    ['start', 'running', false],
    ['shutdown', 'shutoff', false],
  ];
  for (const [verb, state, noop] of walk) {
    const before = rig.sent.length;
    const report = await ended(commands, command(verb));
    expect([verb, report.state, report.result?.['state'], report.result?.['noop'] ?? false, report.error]).toEqual([
      verb,
      'done',
      state,
      noop,
      null,
    ]);
    expect(rig.sent.length - before).toBe(noop ? 0 : 1);
  }
  expect(rig.hypervisor.instance(TWO)?.state).toBe('running');
});

test('a replay, ten times at once, has one effect and equal answers', async () => {
  const commands = rig.runner();
  const one = command('reset');
  const answers = await Promise.all(Array.from({ length: 10 }, async () => commands.submit(structuredClone(one))));
  const report = await ended(commands, one);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(rig.sent).toEqual([`reset ${ONE}`]);
  const again = Array.from({ length: 10 }, () => commands.submit({ ...one, actor: 'other', fence: 0, expiresMs: 0 }));
  for (const answer of again) expect(answer).toEqual(report);
  expect(rig.sent.length).toBe(1);
  for (const other of [
    { ...one, verb: 'force-off' },
    { ...one, instance: TWO },
    { ...one, args: { timeoutMs: 5 } },
  ])
    expect(throwsCode(() => commands.submit(other), 'op-id-reused')).toBe(true);
});

test('a replay after a restart of the agent answers what was stored', async () => {
  const first = rig.runner();
  const one = command('force-off');
  const report = await ended(first, one);
  await ended(first, command('start'));
  await rig.end(first);
  const second = rig.runner();
  await second.start();
  expect(second.submit(one)).toEqual(report);
  expect(second.unacked().length).toBe(2);
  expect((await rig.hypervisor.observe(ONE))?.state).toBe('running');
});

test('a second start while one is under way is busy and names the holder; afterwards it is no effect', async () => {
  const gate = gated(rig.hypervisor.run);
  const commands = rig.runner({ run: gate.run });
  await rig.hypervisor.run(['destroy'], ONE, { deadlineMs: 60_000 });
  await rig.hypervisor.observe(ONE);
  const one = command('start', { actor: 'anna' });
  const first = ended(commands, one);
  const second = await ended(commands, command('start'));
  expect(second).toMatchObject({ state: 'failed', error: { code: 'busy' } });
  expect(second.error?.message).toContain(`start of anna (job ${one.opId})`);
  const other = ended(commands, command('pause', { instance: TWO }));
  gate.open();
  expect((await first).state).toBe('done');
  expect((await other).state).toBe('done');
  expect((await ended(commands, command('start'))).result).toMatchObject({ noop: true });
  expect(rig.sent.filter((words) => words === `start ${ONE}`).length).toBe(1);
});

test('what is asked for before the start is not taken for something of an earlier life', async () => {
  const gate = gated(rig.hypervisor.run);
  const commands = rig.runner({ run: gate.run });
  const one = command('pause');
  const outcome = ended(commands, one);
  await commands.start();
  gate.open();
  expect(await outcome).toMatchObject({ state: 'done', error: null });
});

test('what an earlier version began with arguments that this one does not read is unknown, and ends nobody', async () => {
  const never = () => new Promise<never>(() => undefined);
  const procedure = (args: z.ZodType) =>
    defineProcedure({ name: 'launch', args, on: 'new', run: never, recover: never });
  const first = rig.runner({}, {}, [procedure(z.object({}))]);
  const one = command('launch');
  first.submit(one);
  await rig.end(first);
  const second = rig.runner({}, {}, [procedure(z.object({ name: z.string() }))]);
  await second.start();
  await vi.waitFor(() => expect(second.report(one.opId)).toMatchObject({ final: true, state: 'unknown' }));
});

test('a procedure that starts one program after the other has begun once, at its first', async () => {
  let nowMs = 1_000;
  const procedure = defineProcedure({
    ...{ name: 'launch', args: z.object({}), on: 'new', recover: () => Promise.reject(new Error('not asked')) },
    async run(call) {
      for (const pid of [null, process.pid, process.ppid]) {
        nowMs += 1_000;
        call.started(pid);
      }
      return done(null, {});
    },
  });
  const runner = rig.runner({}, { now: () => nowMs }, [procedure]);
  const report = await ended(runner, command('launch'));
  expect([report.startedMs, report.endedMs]).toEqual([2_000, 4_000]);
  expect(rig.lines.filter(({ message }) => message.endsWith(': running'))).toHaveLength(1);
});

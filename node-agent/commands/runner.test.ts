import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import winston from 'winston';
import { isWebvirtError } from '../../common/errors.ts';
import type { NewLine } from '../../common/model/line.ts';
import type { Command, JobReport } from '../../common/wire/link.ts';
import { createHypervisor, type Hypervisor } from '../libvirt/hypervisor.ts';
import type { CommandHypervisor } from './command-hypervisor.ts';
import { type CommandRunner, type CommandRunnerConfig, createCommandRunner } from './runner.ts';

// libvirt's own test driver, a private copy for each test: real virsh, real state, nothing on the host.
const log = winston.createLogger({ silent: true });
const ONE = 'aaaaaaaa-0000-4000-8000-000000000001';
const TWO = 'aaaaaaaa-0000-4000-8000-000000000002';
const NODE = `<node>${[
  ['one', ONE],
  ['1', TWO],
]
  .map(
    ([name, uuid]) =>
      `<domain type='test'><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>`,
  )
  .join('')}</node>`;

let folder: string;
let hypervisor: Hypervisor;
let runners: CommandRunner[];
let lines: NewLine[];
/** What virsh was really told, by words. */
let sent: string[];
let count = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-runner-'));
  writeFileSync(join(folder, 'node.xml'), NODE);
  runners = [];
  lines = [];
  sent = [];
  hypervisor = createHypervisor(
    { uri: `test://${folder}/node.xml`, sampleEveryMs: 60_000, virshPath: 'virsh', qemuLogDir: folder, runDir: folder },
    { emit: () => undefined, log, now: Date.now },
  );
  await hypervisor.start();
  await new Promise<void>((resolve) => {
    const look = () => hypervisor.listed() && resolve();
    hypervisor.on(look);
    look();
  });
});
afterEach(async () => {
  for (const runner of runners) await runner.stop();
  await hypervisor.stop();
  rmSync(folder, { recursive: true });
});

/** `change` replaces what the runner sees of the hypervisor. */
function runner(change: Partial<CommandHypervisor> = {}, config: Partial<CommandRunnerConfig> = {}): CommandRunner {
  const seen: CommandHypervisor = {
    facts: hypervisor.facts,
    listed: hypervisor.listed,
    instance: hypervisor.instance,
    observe: hypervisor.observe,
    on: hypervisor.on,
    run(words, id, options) {
      sent.push([...words, id].join(' '));
      return (change.run ?? hypervisor.run)(words, id, options);
    },
    ...Object.fromEntries(Object.entries(change).filter(([key]) => key !== 'run')),
  };
  const made = createCommandRunner(
    { journalPath: join(folder, 'journal.sqlite'), ...config },
    { hypervisor: seen, emit: (line) => lines.push(line), log, now: Date.now },
  );
  runners.push(made);
  return made;
}

function command(verb: string, change: Partial<Command> = {}): Command {
  count += 1;
  const opId = `op-${String(count).padStart(8, '0')}`;
  return {
    opId,
    verb,
    instance: ONE,
    args: {},
    actor: 'admin@localhost',
    fence: 1,
    expiresMs: Date.now() + 60_000,
    ...change,
  };
}

/** Submits and waits for the final report. */
function ended(of: CommandRunner, one: Command): Promise<JobReport> {
  return new Promise((resolve) => {
    const off = of.on((report) => {
      if (report.opId !== one.opId || !report.final) return;
      off();
      resolve(report);
    });
    const first = of.submit(one);
    if (first.final) {
      off();
      resolve(first);
    }
  });
}

test('an operation is journalled, run, seen and told in lines', async () => {
  const commands = runner();
  const one = command('pause');
  const report = await ended(commands, one);
  expect(report).toMatchObject({
    state: 'done',
    verb: 'pause',
    instance: ONE,
    error: null,
    result: { state: 'paused' },
  });
  expect(hypervisor.instance(ONE)?.state).toBe('paused');
  expect(commands.unacked().map(({ opId }) => opId)).toEqual([one.opId]);
  commands.acked(one.opId);
  expect(commands.unacked()).toEqual([]);
  expect(lines.map(({ fields, job, instance }) => [fields?.['state'], job, instance])).toEqual(
    ['planned', 'running', 'done'].map((state) => [state, one.opId, ONE]),
  );
});

test('every verb, and the same verb again is no second effect', async () => {
  const commands = runner();
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
    ['save', 'saved', false],
    ['save', 'saved', true],
    ['restore', 'running', false],
    ['restore', 'running', true],
    ['force-off', 'shutoff', false],
    ['force-off', 'shutoff', true],
    ['shutdown', 'shutoff', true],
    ['start', 'running', false],
    ['shutdown', 'shutoff', false],
  ];
  for (const [verb, state, noop] of walk) {
    const before = sent.length;
    const report = await ended(commands, command(verb));
    expect([verb, report.state, report.result?.['state'], report.result?.['noop'] ?? false, report.error]).toEqual([
      verb,
      'done',
      state,
      noop,
      null,
    ]);
    expect(sent.length - before).toBe(noop ? 0 : 1);
  }
  expect(hypervisor.instance(TWO)?.state).toBe('running');
});

test.each([
  ['resume', 'shutoff'],
  ['pause', 'shutoff'],
  ['reboot', 'shutoff'],
  ['reset', 'shutoff'],
  ['save', 'shutoff'],
  ['restore', 'shutoff'],
])('%s of one that is %s is refused with what to do', async (verb) => {
  const commands = runner();
  await ended(commands, command('force-off'));
  const report = await ended(commands, command(verb));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'wrong-state' } });
  expect(sent.length).toBe(1);
});

test('a replay, ten times at once, has one effect and equal answers', async () => {
  const commands = runner();
  const one = command('reset');
  const answers = await Promise.all(Array.from({ length: 10 }, async () => commands.submit(structuredClone(one))));
  const report = await ended(commands, one);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(sent).toEqual([`reset ${ONE}`]);
  const again = Array.from({ length: 10 }, () => commands.submit({ ...one, actor: 'other', fence: 0, expiresMs: 0 }));
  for (const answer of again) expect(answer).toEqual(report);
  expect(sent.length).toBe(1);
  for (const other of [
    { ...one, verb: 'force-off' },
    { ...one, instance: TWO },
    { ...one, args: { timeoutMs: 5 } },
  ])
    expect(caught(() => commands.submit(other), 'op-id-reused')).toBe(true);
});

test('a replay after a restart of the agent answers what was stored', async () => {
  const first = runner();
  const one = command('force-off');
  const report = await ended(first, one);
  await ended(first, command('start'));
  await first.stop();
  runners = [];
  const second = runner();
  await second.start();
  expect(second.submit(one)).toEqual(report);
  expect(second.unacked().length).toBe(2);
  expect((await hypervisor.observe(ONE))?.state).toBe('running');
});

test('a second start while one is under way is busy and names the holder; afterwards it is no effect', async () => {
  const gate = held();
  const commands = runner({ run: gate.run });
  await hypervisor.run(['destroy'], ONE, { deadlineMs: 5_000 });
  await hypervisor.observe(ONE);
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
  expect(sent.filter((words) => words === `start ${ONE}`).length).toBe(1);
});

test('an older fencing token is refused, across restarts', async () => {
  const first = runner();
  await ended(first, command('pause', { fence: 7 }));
  await first.stop();
  runners = [];
  const second = runner();
  expect(await ended(second, command('resume', { fence: 6 }))).toMatchObject({ error: { code: 'stale-token' } });
  expect(await ended(second, command('pause', { fence: 1, instance: TWO }))).toMatchObject({ state: 'done' });
  expect(await ended(second, command('resume', { fence: 7 }))).toMatchObject({ state: 'done' });
});

test('what is too old, unknown or malformed does nothing', async () => {
  const commands = runner();
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
    expect(caught(() => commands.submit(command('pause', bad)), 'bad-request')).toBe(true);
  expect(sent).toEqual([]);
});

test('virsh that does not answer in time is unknown, not failed, unless it can be seen', async () => {
  const never: CommandHypervisor['run'] = (_words, _id, options) => {
    options.onStart?.(null);
    return Promise.resolve({ ended: 'deadline', stdout: '', stderr: '' });
  };
  const commands = runner({ run: never });
  expect(await ended(commands, command('pause'))).toMatchObject({ state: 'unknown', error: { code: 'timeout' } });
  const late = runner(
    {
      run: async (words, id, options) => {
        await hypervisor.run(words, id, options);
        return { ended: 'deadline', stdout: '', stderr: '' };
      },
    },
    { journalPath: join(folder, 'late.sqlite') },
  );
  expect(await ended(late, command('pause'))).toMatchObject({ state: 'done', result: { state: 'paused' } });
});

test('with libvirt known to be silent nothing is sent', async () => {
  const commands = runner({ facts: () => ({ libvirtAnswers: false }) });
  expect(await ended(commands, command('pause'))).toMatchObject({ error: { code: 'libvirt-unavailable' } });
  expect(sent).toEqual([]);
});

/** A `run` that waits until it is opened. */
function held() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const run: CommandHypervisor['run'] = async (words, id, options) => {
    await opened;
    return hypervisor.run(words, id, options);
  };
  return { run, open: () => open() };
}

function caught(work: () => unknown, code: Parameters<typeof isWebvirtError>[1]): boolean {
  try {
    work();
  } catch (error) {
    return isWebvirtError(error, code);
  }
  return false;
}

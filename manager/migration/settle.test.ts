import { expect, test } from 'vitest';
import type { JobReport } from '../../common/wire/link.ts';
import type { Look } from '../../common/wire/migration.ts';
import type { Conclusion } from '../commands/judge.ts';
import type { StoredJob } from '../store/ports.ts';
import { createMigrationJudge } from './judge.ts';
import type { MigrationDeps } from './ports.ts';

// The judge against two pretended hosts whose libvirt does what it is told.

const ID = 'aaaaaaaa-0000-4000-8000-000000000001';
const CONFIG = { graceMs: 60, lookEveryMs: 5, sureMs: 15, askAgainMs: 20 };

const absent: Look = { state: null, reason: null, persistent: false, autostart: false, busy: false, completed: null };
const is = (state: Look['state'], reason: string | null = null): Look => ({
  ...absent,
  state,
  reason,
  persistent: true,
});

const JOB = {
  ...{ id: 'move-00001', verb: 'migrate', state: 'running', progress: null, instance: ID, instanceName: 'web1' },
  ...{
    host: 'a',
    hostName: 'h1',
    target: 'b',
    targetName: 'h2',
    actor: 'me',
    createdMs: 1,
    startedMs: 2,
    endedMs: null,
  },
  ...{
    error: null,
    result: null,
    argsHash: '',
    fence: 1,
    args: { live: true, was: { paused: false, autostart: true } },
  },
} as StoredJob;

const report = (state: JobReport['state'], error: JobReport['error'] = null): JobReport => ({
  ...{
    opId: JOB.id,
    verb: 'migrate',
    instance: ID,
    state,
    final: true,
    progress: null,
    startedMs: 1,
    endedMs: 2,
    error,
  },
  result: null,
});

function world(first: { a: Look | null; b: Look | null }) {
  const hosts: Record<string, Look | null> = { ...first };
  const did: string[] = [];
  const lines: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  let job = JOB;
  let ended: (outcome: Conclusion) => void = () => undefined;
  const next = () => new Promise<Conclusion>((resolve) => (ended = resolve));
  const line = (level: string) => (message: string, fields: Record<string, unknown>) =>
    lines.push({ level, message, fields });
  const judge = createMigrationJudge(CONFIG, {
    inventory: { hosts: () => [], host: () => null, instance: () => null },
    link: { send: () => true, connected: () => true },
    async ask(host) {
      const look = hosts[host];
      if (look === null || look === undefined) throw new Error('no answer');
      return look;
    },
    jobs: { get: () => job, list: () => [job], unfinished: () => [], nextFence: () => 1 },
    commands: {
      dispatch: () => job,
      get: () => job,
      conclude(_id, outcome) {
        job = { ...job, ...outcome };
        ended(outcome);
      },
      reopen: () => true,
      tell: () => undefined,
    },
    log: { info: line('info'), warn: line('warn'), error: line('error') },
    steps: {
      heard: () => false,
      async run(host, _job, step) {
        did.push(`${step} ${host}`);
        const now = hosts[host] ?? absent;
        if (step === 'destroy') hosts[host] = host === 'a' ? is('shutoff', 'destroyed') : absent;
        else if (step === 'undefine') hosts[host] = absent;
        else if (step === 'resume') hosts[host] = is('running', 'unpaused');
        else if (step === 'pause') hosts[host] = is('paused', 'user');
        else if (step === 'autostart') hosts[host] = { ...now, autostart: true };
        return report('done');
      },
    },
    closed: () => did.push('closed'),
  } as MigrationDeps & Parameters<typeof createMigrationJudge>[1]);
  return {
    ...{ hosts, did, lines, judge },
    alarms: () => lines.filter(({ level, message }) => level === 'error' && message.startsWith('ALARM')).length,
    async end(said: JobReport | null): Promise<Conclusion> {
      const told = next();
      expect(judge.takes(job, said)).toBe(true);
      return told;
    },
    next,
  };
}

test('a clean end: the mark to start with its host is set again', async () => {
  const at = world({ a: absent, b: is('running', 'migrated') });
  expect(await at.end(report('done'))).toMatchObject({ state: 'done', result: { source: 'a', target: 'b' } });
  expect(at.did).toEqual(['autostart b', 'closed']);
});

test('"done" that is not so is not believed', async () => {
  const at = world({ a: is('running'), b: absent });
  expect(await at.end(report('done'))).toMatchObject({ state: 'failed' });
});

test.each<[what: string, a: Look, b: Look, did: string[], state: string, alarms?: number]>([
  ['it stays', is('running'), absent, [], 'failed'],
  ['handed over, not confirmed', is('paused', 'migrating'), is('running'), ['destroy a', 'undefine a'], 'done'],
  ['never begun there', is('paused', 'migrating'), is('paused', 'migrating'), ['destroy b', 'resume a'], 'failed'],
  ['ended there', is('paused', 'migrating'), absent, ['resume a'], 'failed'],
  ['a definition left there', is('running'), is('shutoff'), ['undefine b'], 'failed'],
  ['died on the source', is('shutoff', 'crashed'), absent, [], 'failed', 1],
])('%s', async (_what, a, b, did, state, alarms = 0) => {
  const at = world({ a, b });
  expect(await at.end(report('failed', { code: 'libvirt-failed', message: 'broken' }))).toMatchObject({ state });
  expect(at.did).toEqual([...did, 'closed']);
  expect(at.alarms()).toBe(alarms);
});

test('a target whose daemon came back shows a guest that it then ends: the source’s is not ended for it', async () => {
  const at = world({ a: is('paused', 'migrating'), b: is('running', 'migrated') });
  const told = at.end(report('failed', { code: 'timeout', message: 'broken' }));
  await new Promise((resolve) => setTimeout(resolve, 2 * CONFIG.lookEveryMs));
  at.hosts['b'] = absent;
  expect(await told).toMatchObject({ state: 'failed' });
  expect(at.did).toEqual(['resume a', 'closed']);
});

test('a cancelled one is called so only when it is where it was', async () => {
  const no = { code: 'op-cancelled', message: 'It was cancelled.' };
  expect(await world({ a: is('running'), b: absent }).end(report('cancelled', no))).toMatchObject({
    state: 'cancelled',
  });
  expect(await world({ a: absent, b: is('running') }).end(report('cancelled', no))).toMatchObject({ state: 'done' });
});

test('two that run are paused at once, and a person is called', async () => {
  const at = world({ a: is('running'), b: is('running') });
  expect(await at.end(null)).toMatchObject({ state: 'unknown' });
  expect(at.did.slice(0, 2).sort()).toEqual(['pause a', 'pause b']);
  expect(at.alarms()).toBe(1);
});

test('nothing is resumed while the target does not answer, however long; then it is decided anew', async () => {
  const at = world({ a: is('paused', 'migrating'), b: null });
  const unknown = await at.end(report('failed', { code: 'timeout', message: 'broken' }));
  expect(unknown).toMatchObject({ state: 'unknown', error: { code: 'host-unreachable' } });
  expect(unknown.error?.message).toContain(`virsh resume ${ID}`);
  expect(unknown.error?.message).toContain(`virsh destroy ${ID}`);
  expect([at.did, at.alarms()]).toEqual([[], 1]);
  await new Promise((resolve) => setTimeout(resolve, 3 * CONFIG.graceMs));
  expect(at.did).toEqual([]);
  const later = at.next();
  at.hosts['b'] = is('running', 'migrated');
  at.judge.up('b');
  expect(await later).toMatchObject({ state: 'done' });
  expect(at.did).toEqual(['destroy a', 'undefine a', 'closed']);
});

test('a libvirt that hangs while its agent is there is asked again, and each answer is used', async () => {
  const at = world({ a: null, b: null });
  at.judge.start();
  const neither = await at.end(null);
  expect(neither.error?.message).toContain('as soon as both hosts answer again');
  const one = at.next();
  at.hosts['a'] = is('paused', 'migrating');
  expect((await one).error?.message).toContain(`virsh resume ${ID}`);
  const both = at.next();
  at.hosts['b'] = is('running', 'migrated');
  expect(await both).toMatchObject({ state: 'done' });
  expect(at.did).toEqual(['destroy a', 'undefine a', 'closed']);
  at.judge.stop();
});

test('while libvirt still works on it nothing is decided', async () => {
  const at = world({ a: { ...is('paused', 'migrating'), busy: true }, b: is('paused', 'migrating') });
  const told = at.end(null);
  await new Promise((resolve) => setTimeout(resolve, 10 * CONFIG.lookEveryMs));
  expect(at.did).toEqual([]);
  at.hosts['a'] = absent;
  at.hosts['b'] = is('running');
  expect(await told).toMatchObject({ state: 'done' });
  expect(at.did).toEqual(['closed']);
});

test('what was refused before it began is nobody’s to judge', () => {
  const at = world({ a: is('running'), b: absent });
  expect(at.judge.takes({ ...JOB, startedMs: null }, { ...report('failed'), startedMs: null })).toBe(false);
  expect(at.judge.takes({ ...JOB, verb: 'start' }, report('failed'))).toBe(false);
});

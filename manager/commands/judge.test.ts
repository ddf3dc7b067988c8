import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobReport } from '../../common/wire/link.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { COMMANDS_DEFAULTS, type Commands, createCommands } from './commands.ts';
import type { Judge } from './judge.ts';
import { createWorld, START, VM } from './testing.ts';

// Jobs whose end is not the agent's to tell: they run, and hold their instance, until the judge has decided.

let world: ReturnType<typeof createWorld>;
let commands: Commands;
let end: () => void;
const taken: (JobReport | null)[] = [];
const ID = 'op-12345678';

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-judge-'));
  const store = openStateStore(join(folder, 'state.sqlite'));
  world = createWorld(store.jobs);
  world.stop();
  const judge: Judge = {
    takes: (_job, report) => taken.push(report) > 0,
    heard: ({ verb }) => verb === 'settle',
  };
  commands = createCommands({ ...COMMANDS_DEFAULTS, sweepMs: 5 }, { ...world.deps, judge });
  commands.start();
  taken.length = 0;
  end = () => {
    commands.stop();
    store.close();
    rmSync(folder, { recursive: true });
  };
});
afterEach(() => end());

const report = (state: JobReport['state'], more: Partial<JobReport> = {}): JobReport => ({
  ...{ opId: ID, verb: 'start', instance: VM, state, final: state !== 'running', progress: null },
  ...{ startedMs: 1, endedMs: null, error: null, result: null },
  ...more,
});
const acks = () => world.sent.filter(({ message }) => message.t === 'job-ack').map(({ message }) => message);

test('the last word is acked only after the decision; until then the instance is held', () => {
  commands.dispatch(START);
  commands.onReport('h1', report('running'));
  commands.onReport('h1', report('failed'));
  expect([taken.length, acks()]).toEqual([1, []]);
  expect(commands.get(ID)?.state).toBe('running');
  expect(world.busy.get(VM)).toBe(ID);
  commands.tell(ID, 'looks at both hosts');
  expect(commands.get(ID)?.detail?.phase).toBe('looks at both hosts');
  commands.conclude(ID, { state: 'done', error: null, result: { note: 'it moved' } });
  expect(commands.get(ID)).toMatchObject({ state: 'done', progress: 1, result: { note: 'it moved' } });
  expect(commands.get(ID)).not.toHaveProperty('detail');
  expect(acks()).toEqual([{ t: 'job-ack', opId: ID }]);
  expect(world.busy.get(VM)).toBeNull();
  // Told once more after a lost ack: it is acked, and changes nothing.
  commands.onReport('h1', report('failed'));
  expect([commands.get(ID)?.state, acks().length, taken.length]).toEqual(['done', 2, 1]);
  commands.conclude(ID, { state: 'failed', error: null, result: null });
  expect(commands.get(ID)?.state).toBe('done');
});

test('silence is the judge’s to weigh as well', async () => {
  commands.dispatch(START);
  commands.onReport('h1', report('running'));
  world.online.delete('h1');
  await expect
    .poll(() => {
      world.passMs(61_000);
      return taken;
    })
    .toEqual([null]);
  expect(commands.get(ID)?.state).toBe('running');
});

test('an unknown one is taken up again unless its instance is another’s', () => {
  commands.dispatch(START);
  commands.conclude(ID, { state: 'unknown', error: { code: 'timeout', message: 'nobody knows' }, result: null });
  expect([commands.get(ID)?.state, world.busy.get(VM)]).toEqual(['unknown', null]);
  world.busy.set(VM, 'other-0001');
  expect(commands.reopen(ID)).toBe(false);
  world.busy.set(VM, null);
  expect(commands.reopen(ID)).toBe(true);
  expect(commands.get(ID)).toMatchObject({ state: 'running', error: null, endedMs: null });
  expect(world.busy.get(VM)).toBe(ID);
  expect(commands.reopen(ID)).toBe(false);
});

test('a step of the judge is no unknown job', () => {
  commands.onReport('h1', report('done', { opId: 'step-0001', verb: 'settle' }));
  expect(world.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  expect(acks()).toEqual([{ t: 'job-ack', opId: 'step-0001' }]);
});

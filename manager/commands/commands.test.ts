import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isWebvirtError } from '../../common/errors.ts';
import type { JobStore, StateStore } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { createWorld, OTHER, START, VM } from './testing.ts';

/** The world of the tests on a real store. */
function world(jobsOf: (store: StateStore) => JobStore = (store) => store.jobs) {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-commands-'));
  const store = openStateStore(join(folder, 'state.sqlite'));
  const made = createWorld(jobsOf(store));
  return Object.assign(made, {
    store,
    end() {
      made.stop();
      store.close();
      rmSync(folder, { recursive: true });
    },
  });
}

function refusal(call: () => unknown): { code: string; message: string } {
  try {
    call();
  } catch (error) {
    if (isWebvirtError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('commands', () => {
  let w: ReturnType<typeof world>;
  beforeEach(() => {
    w = world();
  });
  afterEach(() => w.end());

  it('journals, sends and holds the instance in one step', () => {
    const job = w.commands.dispatch(START);
    expect(job).toMatchObject({ id: 'op-12345678', state: 'planned', instanceName: 'web1', host: 'h1' });
    expect(job).not.toHaveProperty('argsHash');
    expect(w.store.jobs.get(job.id)?.fence).toBe(1);
    expect(w.commandsSent()).toEqual([
      {
        ...{ opId: job.id, verb: 'start', instance: VM, args: {}, actor: 'admin@localhost', fence: 1 },
        // In the agent's time, which is 5 s behind ours.
        expiresMs: job.createdMs + 30_000 - 5_000,
      },
    ]);
    expect(w.busy.get(VM)).toBe(job.id);
  });

  it('is in the journal before it is on the wire', () => {
    const send = w.deps.link.send;
    let journalled: unknown;
    w.deps.link.send = (host, message) => {
      journalled = w.store.jobs.get('op-12345678');
      return send(host, message);
    };
    w.commands.dispatch(START);
    expect(journalled).toMatchObject({ state: 'planned' });
  });

  it('has one effect and one answer however often a call is replayed (T15, T16)', () => {
    const answers = Array.from({ length: 12 }, () => w.commands.dispatch(START));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    w.report('done');
    expect(w.commands.dispatch(START)).toMatchObject({ id: 'op-12345678', state: 'done' });
    w.online.clear();
    delete w.instances[VM];
    expect(w.commands.dispatch(START).state).toBe('done');
    expect(w.commandsSent()).toHaveLength(1);
  });

  it('refuses an opId that stands for something else', () => {
    w.commands.dispatch(START);
    for (const other of [{ verb: 'shutdown' }, { instance: OTHER }, { args: { force: true } }])
      expect(refusal(() => w.commands.dispatch({ ...START, ...other })).code).toBe('op-id-reused');
    expect(w.commandsSent()).toHaveLength(1);
  });

  it('refuses a second operation and names the holder: the double click (T13)', () => {
    w.commands.dispatch(START);
    const refused = refusal(() => w.commands.dispatch({ ...START, opId: 'op-87654321' }));
    expect(refused.code).toBe('busy');
    expect(refused.message).toContain('op-12345678');
    expect(refused.message).toContain('web1');
    expect(w.store.jobs.get('op-87654321')).toBeNull();
    w.report('done');
    expect(w.commands.dispatch({ ...START, opId: 'op-87654321' }).state).toBe('planned');
    expect(w.commandsSent().map((command) => command.fence)).toEqual([1, 2]);
  });

  it('lets force-off pre-empt a shutdown, and nothing else', () => {
    w.commands.dispatch({ ...START, verb: 'shutdown' });
    expect(refusal(() => w.commands.dispatch({ ...START, verb: 'reset', opId: 'op-00000002' })).code).toBe('busy');
    w.commands.dispatch({ ...START, verb: 'force-off', opId: 'op-00000003' });
    expect(w.busy.get(VM)).toBe('op-00000003');
    w.report('done');
    expect(w.busy.get(VM)).toBe('op-00000003');
    w.report('done', { opId: 'op-00000003' });
    expect(w.busy.get(VM)).toBeNull();
  });

  it('does nothing at all for a host that is not connected', () => {
    w.online.delete('h1');
    expect(refusal(() => w.commands.dispatch(START))).toMatchObject({ code: 'host-unreachable' });
    expect(refusal(() => w.commands.dispatch({ ...START, instance: '1' })).code).toBe('not-found');
    expect(w.store.jobs.list({ limit: 9 })).toEqual([]);
    expect(w.busy.size + w.sent.length).toBe(0);
  });

  it('answers a failed job when the link breaks between the check and the send', () => {
    w.deps.link.send = () => false;
    const job = w.commands.dispatch(START);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'host-unreachable' } });
    expect(w.commands.dispatch(START)).toEqual(job);
    expect(w.busy.get(VM)).toBeNull();
  });

  it('follows the reports, acks only outcomes, and takes each once', () => {
    const job = w.commands.dispatch(START);
    w.passMs(7);
    w.report('running', { startedMs: job.createdMs - 5_000 + 7, progress: 0.5 });
    expect(w.commands.get(job.id)).toMatchObject({ state: 'running', progress: 0.5, startedMs: job.createdMs + 7 });
    expect(w.sent.some(({ message }) => message.t === 'job-ack')).toBe(false);
    w.passMs(50);
    w.report('failed', { error: { code: 'libvirt-failed', message: 'no such disk' } });
    w.report('done');
    expect(w.commands.get(job.id)).toMatchObject({ state: 'failed', error: { code: 'libvirt-failed' } });
    expect(w.sent.filter(({ message }) => message.t === 'job-ack')).toHaveLength(2);
    expect(w.busy.get(VM)).toBeNull();
    const told = w.lines.map(({ message }) => message);
    expect(told).toEqual(['Operation was asked for', 'Job runs', 'Job failed']);
    for (const line of w.lines) expect(line.fields).toMatchObject({ job: job.id, instance: VM, host: 'h1' });
    expect(w.lines[0]!.fields).toMatchObject({ source: 'audit', actor: 'admin@localhost', verb: 'start' });
  });

  it('acks an outcome only after it is in the journal, and writes it when there is room again', async () => {
    w.commands.dispatch(START);
    const { update } = w.deps.jobs;
    w.deps.jobs.update = () => {
      throw new Error('disk full');
    };
    const acked = () => w.sent.some(({ message }) => message.t === 'job-ack');
    w.report('done');
    expect(acked()).toBe(false);
    w.deps.jobs.update = update;
    await w.becomes('op-12345678', 'done');
    await new Promise(setImmediate);
    expect(acked()).toBe(true);
    expect(w.lines.filter(({ message }) => message.includes('cannot be written'))).toHaveLength(1);
  });

  it('lives on when it cannot be written that a job is overdue, and writes it later', async () => {
    w.commands.dispatch(START);
    const { update } = w.deps.jobs;
    const tries = new Promise<void>((resolve) => {
      let count = 0;
      w.deps.jobs.update = () => {
        count += 1;
        if (count === 2) resolve();
        throw new Error('disk full');
      };
    });
    w.passMs(60_000);
    await tries;
    w.deps.jobs.update = update;
    await w.becomes('op-12345678', 'unknown');
  });

  it('ignores what another host says of a job, and quietens an agent with a job nobody knows', () => {
    w.commands.dispatch(START);
    w.report('done', {}, 'h2');
    expect(w.commands.get('op-12345678')?.state).toBe('planned');
    expect(w.sent.filter(({ host }) => host === 'h2')).toEqual([]);
    w.report('done', { opId: 'op-unheard0' });
    expect(w.sent.at(-1)?.message).toEqual({ t: 'job-ack', opId: 'op-unheard0' });
  });

  it('calls a silent job unknown, not failed, and believes the agent later', async () => {
    w.commands.dispatch(START);
    w.passMs(36_000);
    await w.becomes('op-12345678', 'unknown');
    expect(w.busy.get(VM)).toBeNull();
    expect(w.commands.get('op-12345678')?.error?.code).toBe('timeout');
    w.report('done');
    expect(w.commands.get('op-12345678')).toMatchObject({ state: 'done', error: null });
  });

  it('calls a running job unknown when its host is gone for long, and takes it back when it speaks', async () => {
    w.commands.dispatch(START);
    w.report('running');
    w.online.delete('h1');
    w.passMs(901_000);
    await w.becomes('op-12345678', 'unknown');
    w.online.add('h1');
    w.report('running');
    expect(w.commands.get('op-12345678')).toMatchObject({ state: 'running', endedMs: null });
    expect(w.busy.get(VM)).toBe('op-12345678');
  });

  it('knows its jobs after a restart: holders, outcomes, and what the agent may never have got', () => {
    w.commands.dispatch(START);
    w.commands.dispatch({ ...START, instance: OTHER, opId: 'op-other000' });
    w.report('running', { opId: 'op-other000', instance: OTHER }, 'h2');
    w.restart();
    expect(w.busy.get(VM)).toBe('op-12345678');
    expect(refusal(() => w.commands.dispatch({ ...START, opId: 'op-87654321' })).code).toBe('busy');
    w.sent.length = 0;
    for (const id of ['h1', 'h2', 'h1']) w.bus.emit('host', { id });
    // Only what was never heard of is sent again, once a connection, under the same opId and fence.
    expect(w.commandsSent().map(({ opId, fence }) => [opId, fence])).toEqual([['op-12345678', 1]]);
    w.report('done');
    expect(w.commands.get('op-12345678')?.state).toBe('done');
  });

  it('asks the agent to cancel, and waits for its word', () => {
    expect(refusal(() => w.commands.cancel('op-12345678', 'a')).code).toBe('not-found');
    w.commands.dispatch(START);
    expect(w.commands.cancel('op-12345678', 'a').state).toBe('planned');
    expect(w.sent.at(-1)?.message).toEqual({ t: 'cancel', opId: 'op-12345678' });
    w.report('cancelled');
    expect(w.commands.cancel('op-12345678', 'a').state).toBe('cancelled');
    w.commands.dispatch({ ...START, opId: 'op-00000002' });
    w.online.clear();
    expect(refusal(() => w.commands.cancel('op-00000002', 'a')).code).toBe('host-unreachable');
  });
});

it('refuses before any side effect when the journal cannot be written (T22)', () => {
  const w = world((store) => ({
    ...store.jobs,
    insert() {
      throw new Error('database or disk is full');
    },
  }));
  expect(refusal(() => w.commands.dispatch(START)).code).toBe('journal-full');
  expect(w.sent).toEqual([]);
  expect(w.busy.get(VM) ?? null).toBeNull();
  w.end();
});

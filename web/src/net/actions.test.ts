import { describe, expect, it } from 'vitest';
import { Batches } from '../models/batches.ts';
import { Notices } from '../models/notices.ts';
import { InstanceModel, Jobs } from '../models/nouns.ts';
import { Pending } from '../models/pending.ts';
import { createActions } from './actions.ts';
import { type Api, ApiError } from './api.ts';

const instance = new InstanceModel({ id: 'u1', name: 'web-1', state: 'running' } as never);

function setUp(post: (path: string, body: { opId: string }) => Promise<unknown>) {
  const parts = { jobs: new Jobs(), pending: new Pending(), notices: new Notices(), batches: new Batches() };
  const sent: { opId: string }[] = [];
  const api = {
    post: (path: string, body: { opId: string }) => {
      sent.push(body);
      return post(path, body);
    },
  } as unknown as Api;
  return { ...parts, sent, actions: createActions({ api, ...parts }) };
}

describe('act', () => {
  it('sends one operation for a double click and keeps the row busy until its job has ended', async () => {
    const { actions, sent, pending, jobs } = setUp(async () => ({}));
    await Promise.all([actions.act([instance], 'reboot'), actions.act([instance], 'reboot')]);
    await actions.act([instance], 'reboot');
    expect(sent.length).toBe(1);
    const { opId } = sent[0]!;
    expect(pending.opOf('u1')).toBe(opId);
    jobs.add({ id: opId, state: 'running', createdMs: 1 } as never);
    expect(pending.opOf('u1')).toBe(opId);
    jobs.get(opId)!.set('state', 'done');
    expect(pending.opOf('u1')).toBeNull();
  });

  it('repeats a lost call under the same opId', async () => {
    let lost = 1;
    const { actions, sent, notices } = setUp(async () => {
      if (lost-- > 0) throw new ApiError('network', 'gone', 0);
      return {};
    });
    await actions.act([instance], 'start');
    expect(sent.length).toBe(2);
    expect(sent[0]!.opId).toBe(sent[1]!.opId);
    expect(notices.length).toBe(0);
  });

  it('tells a refusal and frees the row', async () => {
    const { actions, pending, notices } = setUp(async () => {
      throw new ApiError('busy', 'web-1 is held by another job.', 409);
    });
    await actions.act([instance], 'start');
    expect(pending.opOf('u1')).toBeNull();
    expect(notices.at(0)!.get('text')).toContain('held by another job');
  });

  it('sends many as one call, keeps each busy until its own job ends, and names the refused with their reasons', async () => {
    const batch = [instance, ...['u2', 'u3'].map((id) => new InstanceModel({ id, name: `web-${id}` } as never))];
    const { actions, sent, pending, notices, jobs, batches } = setUp(async () => ({
      jobs: [
        { id: 'job-1', instance: 'u1' },
        { id: 'job-2', instance: 'u2' },
      ],
      refused: [{ id: 'u3', err: 'busy', message: 'Another operation holds it.' }],
    }));
    const done = actions.act(batch, 'shutdown');
    await actions.act(batch, 'shutdown');
    await done;
    expect(sent).toMatchObject([{ ids: ['u1', 'u2', 'u3'], action: 'shutdown' }]);
    expect(['u1', 'u2', 'u3'].map((id) => pending.opOf(id))).toEqual(['job-1', 'job-2', null]);
    expect([...batches.of('job-2')!.jobs]).toEqual(['job-1', 'job-2']);
    jobs.add({ id: 'job-1', state: 'done', createdMs: 1 } as never);
    expect([pending.opOf('u1'), pending.opOf('u2')]).toEqual([null, 'job-2']);
    expect(notices.at(0)!.get('title')).toBe('shutdown: 1 of 3 not accepted');
    expect(notices.at(0)!.get('text')).toBe('web-u3: Another operation holds it.');
  });

  it('frees every row when the whole batch is refused', async () => {
    const two = [instance, new InstanceModel({ id: 'u2', name: 'b' } as never)];
    const { actions, pending, notices } = setUp(async () => {
      throw new ApiError('host-unreachable', 'The host alpha does not answer.', 503);
    });
    await actions.act(two, 'start');
    expect([pending.opOf('u1'), pending.opOf('u2')]).toEqual([null, null]);
    expect(notices.at(0)!.get('title')).toBe('start 2 instances: not accepted');
  });
});

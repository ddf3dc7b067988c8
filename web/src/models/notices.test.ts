import { describe, expect, it } from 'vitest';
import { Batches } from './batches.ts';
import { announceJobs, Notices } from './notices.ts';
import { Jobs } from './nouns.ts';

const job = (id: string, state: string, more: Record<string, unknown> = {}) =>
  ({
    id,
    verb: 'start',
    state,
    instanceName: 'web-1',
    hostName: 'alder',
    actor: 'eva@example.org',
    createdMs: 1,
    error: null,
    ...more,
  }) as never;

function setUp() {
  const jobs = new Jobs();
  const notices = new Notices();
  const batches = new Batches();
  announceJobs(jobs, notices, batches);
  jobs.add(job('old', 'failed'));
  jobs.add(job('going', 'running'));
  jobs.trigger('loaded');
  return { jobs, notices, batches };
}

describe('announceJobs', () => {
  it('is silent about what had ended before', () => {
    expect(setUp().notices.length).toBe(0);
  });

  it('announces every outcome, with who, why and a link', () => {
    const { jobs, notices } = setUp();
    jobs.get('going')!.set({ state: 'failed', error: { code: 'busy', message: 'web-1 is busy.' } });
    const said = notices.at(0)!.attributes;
    expect(said.kind).toBe('bad');
    expect(said.title).toBe('start web-1 on alder: failed');
    expect(said.text).toContain('web-1 is busy.');
    expect(said.text).toContain('eva@example.org');
    expect(said.href).toBe('#/jobs/going');
  });

  it('announces a job that came and ended between two updates', () => {
    const { jobs, notices } = setUp();
    jobs.add(job('quick', 'done'));
    expect(notices.at(0)!.get('kind')).toBe('good');
  });

  it('tells a move with both hosts, and leads from a launch to the new instance', () => {
    const { jobs, notices } = setUp();
    jobs.add(job('move', 'failed', { verb: 'migrate', targetName: 'birch' }));
    expect(notices.get('job-move')!.get('title')).toBe('migrate web-1 from alder to birch: failed');
    jobs.add(job('new', 'done', { verb: 'launch', instance: 'u7' }));
    expect(notices.get('job-new')!.get('href')).toBe('#/instances/u7');
  });

  it('tells the outcomes of one batch in one message, also of jobs that ended before the batch was known', () => {
    const { jobs, notices, batches } = setUp();
    jobs.add(job('a', 'done'));
    expect(notices.length).toBe(1);
    batches.add('b1', 'shutdown', ['a', 'b', 'c']);
    jobs.add(job('b', 'failed', { error: { code: 'timeout', message: 'It did not stop.' } }));
    expect(notices.map((one) => one.get('title'))).toEqual(['shutdown: 1 of 3 done, 1 not, 1 running']);
    jobs.add(job('c', 'done'));
    expect(notices.length).toBe(1);
    expect(notices.at(0)!.attributes).toMatchObject({
      kind: 'bad',
      title: 'shutdown: 2 of 3 done, 1 not',
      text: 'web-1: It did not stop.',
    });
  });
});

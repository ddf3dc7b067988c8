import { describe, expect, it } from 'vitest';
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
  announceJobs(jobs, notices);
  jobs.add(job('old', 'failed'));
  jobs.add(job('going', 'running'));
  jobs.trigger('loaded');
  return { jobs, notices };
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
});

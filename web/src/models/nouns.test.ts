import { expect, it } from 'vitest';
import { Candidates } from './nouns.ts';

it('the inbox leaves out our agents, and "not an agent" where an agent is', () => {
  const candidates = new Candidates();
  const add = (id: string, address: string, state: string, vanished = false, port = 4601) =>
    candidates.add({ id, address, port, state, vanished } as never);
  add('ours', '10.0.0.1', 'enrolled-here');
  add('before-it-was-ours', '10.0.0.1', 'not-an-agent');
  add('other-port', '10.0.0.1', 'not-an-agent', false, 4602);
  add('waits', '10.0.0.2', 'unenrolled');
  add('before-it-waited', '10.0.0.2', 'not-an-agent');
  add('gone', '10.0.0.3', 'unenrolled', true);
  add('another-service-now', '10.0.0.3', 'not-an-agent');
  expect(candidates.inbox().map(({ id }) => id)).toEqual(['other-port', 'waits', 'gone', 'another-service-now']);
});

import { expect, test } from 'vitest';
import type { NewLine } from '../../common/model/line.ts';
import { createScopes } from './scope.ts';

const ID = 'aaaaaaaa-0000-4000-8000-000000000001';
const line = (change: Partial<NewLine>): NewLine => ({
  tsMs: 1,
  level: 'info',
  source: 'libvirt',
  message: 'x',
  ...change,
});

test('lines about the instance carry the job while the scope is open', () => {
  const scopes = createScopes();
  expect(scopes.mark(line({ instance: ID }))).toEqual(line({ instance: ID }));
  scopes.service.attach().take({ t: 'scope', opId: 'move-0001', instance: ID, name: 'web1', open: true });
  const heard: NewLine[] = [];
  const off = scopes.on(ID, (one) => heard.push(one));
  const job = 'move-0001';
  expect(scopes.mark(line({ instance: ID }))).toMatchObject({ job, instance: ID });
  // The target's QEMU writes before libvirt lists the instance.
  expect(scopes.mark(line({ source: 'qemu', unit: 'web1' }))).toMatchObject({ job, instance: ID });
  expect(scopes.mark(line({ fields: { name: 'web1' } }))).toMatchObject({ job, instance: ID });
  expect(heard).toHaveLength(3);
  off();
  expect(scopes.mark(line({ source: 'qemu', unit: 'web10' }))).not.toHaveProperty('job');
  expect(scopes.mark(line({ source: 'agent', unit: 'web1' }))).not.toHaveProperty('job');
  expect(scopes.mark(line({ instance: ID.replace('1', '2') }))).not.toHaveProperty('job');
  // Another operation keeps its own; a step of the move has an id of its own and is part of it.
  expect(scopes.mark(line({ instance: ID, job: 'other-001' }))).toMatchObject({ job: 'other-001' });
  expect(scopes.mark(line({ instance: ID, job: 'step-0001', fields: { verb: 'settle' } }))).toMatchObject({ job });
  expect(heard).toHaveLength(3);
  // What is late still belongs to it; another job's end does not touch it.
  scopes.close(ID, 'other-001');
  scopes.close(ID, job);
  expect(scopes.mark(line({ instance: ID }))).toMatchObject({ job });
  scopes.stop();
  expect(scopes.mark(line({ instance: ID }))).not.toHaveProperty('job');
});

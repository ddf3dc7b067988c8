import { expect, it } from 'vitest';
import { createBus } from './bus.ts';

it('tells everybody, in order, whatever one of them does', () => {
  const faults: string[] = [];
  const heard: string[] = [];
  const bus = createBus((error, event) => faults.push(`${event}: ${(error as Error).message}`));
  bus.on('job', ({ id }) => heard.push(`first ${id}`));
  bus.on('job', () => {
    throw new Error('broken');
  });
  const stop = bus.on('job', ({ id }) => {
    heard.push(`last ${id}`);
    stop();
  });
  bus.on('host', () => heard.push('never'));
  bus.emit('job', { id: 'a' });
  bus.emit('job', { id: 'b' });
  bus.emit('scan', { id: 'nobody listens' });
  expect(heard).toEqual(['first a', 'last a', 'first b']);
  expect(faults).toEqual(['job: broken', 'job: broken']);
});

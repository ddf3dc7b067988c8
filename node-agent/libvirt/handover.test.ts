import { expect, test } from 'vitest';
import { createHandover } from './handover.ts';
import type { VirshEvent } from './virsh-event-line.ts';

const event = (detail: string, name = 'web1', kind = 'lifecycle'): VirshEvent => ({
  ...{ tsMs: 1, kind, readings: [{ name, detail }], values: {} },
});
const FOR_EVER_MS = 3_600_000;

test.each([
  ['on the source', 'Suspended Migrated', event('Stopped Migrated')],
  ['on the source, which goes on', 'Suspended Migrated', event('Resumed Unpaused')],
  ['on the target', 'Defined Added', event('Resumed Migrated')],
  ['at its end', 'Suspended Migrated', event('', 'web1', 'job-completed')],
])('a guest that is handed over is left alone until that is done: %s', async (_where, begins, end) => {
  const handover = createHandover((name) => name === 'web1', FOR_EVER_MS);
  let over = false;
  const calm = handover.calm([event(begins)]).then(() => {
    over = true;
  });
  handover.heard([event('Undefined Removed'), event('1', 'web1', 'migration-iteration')]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(over).toBe(false);
  handover.heard([end]);
  await calm;
  // All that came together, its end with it, is looked into at once.
  await handover.calm([event(begins), end]);
});

test('nobody waits for others, and for no end at all only a moment', async () => {
  await createHandover((name) => name === 'web1', FOR_EVER_MS).calm([event('Suspended Migrated', 'web2')]);
  await createHandover(undefined, FOR_EVER_MS).calm([event('Suspended Migrated')]);
  await createHandover(() => true, FOR_EVER_MS).calm([event('Suspended Paused'), event('Started Booted')]);
  await createHandover(() => true, 1).calm([event('Suspended Migrated')]);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { MigrationResult } from '../../common/model/migration.ts';
import { type MigrationCloud, migrationCloud } from '../support/migration-cloud.ts';

// Moves between two real libvirts: what a person sees of them, and what is true on both hosts afterwards.

describe.skipIf(process.getuid?.() !== 0)('migrations', () => {
  let world: MigrationCloud;

  beforeAll(async () => {
    world = await migrationCloud('wvm', 2);
    await world.online();
  });
  afterAll(() => world?.stop());

  const resultOf = (job: Job) => job.result as unknown as MigrationResult;

  test('live and back tunnelled: running all the time, measured, one stream of all sides', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await one.defineGuest({ name: 'live-1', autostart: true });
    await one.awaitConsole('live-1', /heartbeat 2/);
    await world.shown(id, ({ state }) => state === 'running');
    const asked = await world.move(id, two, { opId: 'move-live-01' });
    expect(asked).toMatchObject({ status: 202, body: { data: { job: { verb: 'migrate', targetName: 'h2' } } } });
    const job = await world.outcome('move-live-01');
    expect(job).toMatchObject({ state: 'done', error: null, hostName: 'h1', targetName: 'h2' });
    expect(await world.really(one, id)).toBeNull();
    expect(await world.really(two, id)).toBe('running');
    const result = resultOf(job);
    expect(result.downtimeMs).toBeGreaterThan(0);
    expect(result.totalMs).toBeGreaterThan(result.downtimeMs ?? 0);
    expect(result.memoryBytes).toBeGreaterThan(64 * 1024 * 1024);
    expect(result.rounds).toBeGreaterThan(0);
    // libvirt forgets this mark in a move.
    await world.shown(id, ({ hostName, autostart }) => hostName === 'h2' && autostart);
  });
});

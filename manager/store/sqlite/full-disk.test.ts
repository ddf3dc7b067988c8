import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../../test/support/small-disk.ts';
import { createBus } from '../../bus/bus.ts';
import { createJournal, type PlannedJob } from '../../commands/journal.ts';
import { openStateStore } from './open.ts';

const dir = mkdtempSync(join(tmpdir(), 'webvirt-state-full-'));
const disk = mountSmallDisk(join(dir, 'disk'), 16);
afterAll(() => {
  disk?.unmount();
  rmSync(dir, { recursive: true });
});

const planned = (id: string): PlannedJob => ({
  ...{ id, opId: id, verb: 'force-off', args: { text: 'x'.repeat(2_000) }, actor: 'admin', argsHash: 'h' },
  ...{ instance: 'i1', instanceName: 'web', hostId: 'h1', hostName: 'one' },
});

describe.skipIf(disk === null)('a disk of the manager that is full (L6)', () => {
  it('takes operations as long as its reserve lasts, then refuses them in words, and forgets none', () => {
    const path = join(dir, 'disk', 'webvirt.sqlite');
    let state = openStateStore(path);
    const said: string[] = [];
    const write = (message: string) => void said.push(message);
    const log = { info: write, warn: write, error: write };
    const bus = createBus((error) => {
      throw error;
    });
    const journal = () => createJournal({ jobs: state.jobs, bus, log, nowMs: () => 1 });
    disk?.fill();
    const taken: string[] = [];
    let refusal: unknown = null;
    for (let i = 0; i < 5_000 && refusal === null; i += 1) {
      const id = `op-${String(i).padStart(6, '0')}`;
      try {
        journal().plan(planned(id));
        taken.push(id);
      } catch (error) {
        refusal = error;
      }
    }
    // Room for what an administrator does to a cloud in trouble.
    expect(taken.length).toBeGreaterThan(300);
    expect(refusal).toMatchObject({ code: 'journal-full', message: expect.stringMatching(/nothing was done.*disk/i) });
    expect(said).toContain('The journal of jobs cannot be written');
    // Again and again, and what was there is read.
    expect(() => journal().plan(planned('op-again1'))).toThrow(/nothing was done/);
    expect(state.jobs.list({ limit: 10_000 })).toHaveLength(taken.length);
    disk?.free();
    journal().plan(planned('op-space1'));
    state.close();
    state = openStateStore(path);
    const there = state.jobs.list({ limit: 10_000 }).map(({ id }) => id);
    expect(new Set(there)).toEqual(new Set([...taken, 'op-space1']));
    state.close();
  });
});

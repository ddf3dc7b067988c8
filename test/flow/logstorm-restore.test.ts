import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildLogstorm, runLogstorm } from '../support/logstorm-run.ts';

let programs: Awaited<ReturnType<typeof buildLogstorm>>;
const backup = mkdtempSync(join(tmpdir(), 'webvirt-backup-'));
beforeAll(async () => {
  programs = await buildLogstorm();
});
afterAll(() => {
  programs.remove();
  rmSync(backup, { recursive: true });
});

const quiet = { agent: null, manager: null };
const ofManager = (dir: string) => readdirSync(dir).filter((name) => !name.startsWith('spool'));

it('a manager that is set back to a backup is sent again what it had acked since (L14)', async () => {
  const outcome = await runLogstorm({
    ...{ programs, lines: 240, limitMs: 40_000, rounds: [quiet, quiet, { agent: 'A7@3', manager: null }] },
    between(round, dir) {
      if (round === 0)
        for (const name of ofManager(dir)) cpSync(join(dir, name), join(backup, name), { recursive: true });
      if (round !== 1) return;
      for (const name of ofManager(dir)) rmSync(join(dir, name), { recursive: true });
      cpSync(backup, dir, { recursive: true });
    },
  });
  // Numbers that were told live by the store that is gone come live again: they are new to this one.
  expect(outcome.faults.filter((fault) => !fault.startsWith('told live twice'))).toEqual([]);
  expect(outcome.missing).toBe(0);
  expect(outcome.spooled).toBeGreaterThan(480);
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobDetail } from '../../../common/model/job.ts';
import type { NewLine } from '../../../common/model/line.ts';
import type { MigrateArgs } from '../../../common/wire/migration.ts';
import type { MigrationVirsh } from '../../libvirt/migration-virsh.ts';
import type { VirshOutcome, VirshRunOptions } from '../../libvirt/virsh-children.ts';
import type { Entry } from '../journal-entry.ts';
import { createScopes } from '../scope.ts';
import { createMigrate } from './migrate.ts';
import type { ProcedureCall } from './procedure.ts';

// The move as its agent sees it, with a virsh that says what the test wants.

const ID = 'aaaaaaaa-0000-4000-8000-000000000001';
const URI = 'qemu:///system';
const instance = {
  ...{ id: ID, name: 'web1', state: 'running' as 'running' | 'shutoff', vcpus: 1, memoryBytes: 1, autostart: false },
  persistent: true,
};
const args: MigrateArgs = {
  ...{ target: 'b', targetName: 'h2', uri: 'qemu+tls://h2/system', live: true, tunnelled: false, copyStorage: false },
  was: { paused: false, autostart: false },
};

let keepDir: string;
beforeEach(() => {
  keepDir = mkdtempSync(join(tmpdir(), 'webvirt-moved-'));
});
afterEach(() => rmSync(keepDir, { recursive: true }));

function rig(
  end: VirshOutcome,
  change: { state?: 'running' | 'shutoff'; args?: Partial<MigrateArgs>; pid?: number; peer?: () => VirshOutcome } = {},
) {
  const asked: string[] = [];
  const progress: JobDetail[] = [];
  const scopes = createScopes();
  const controller = new AbortController();
  let here: typeof instance | null = { ...instance, state: change.state ?? 'running' };
  let finish: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const virsh = {
    async peek(words: readonly string[]) {
      asked.push(words.join(' '));
      return { stdout: words[0] === 'dumpxml' ? '<domain/>' : '', stderr: '' };
    },
    async move(words: readonly string[], _id: string, options: VirshRunOptions) {
      asked.push(words.join(' '));
      options.onStart?.(4711);
      const killed = new Promise<VirshOutcome>((resolve) =>
        options.signal?.addEventListener('abort', () => resolve({ ended: 'aborted', stdout: '', stderr: '' })),
      );
      return Promise.race([over.then(() => end), killed]);
    },
    peer: async () => (change.peer ?? (() => exit(0)))(),
  } as unknown as MigrationVirsh;
  const hypervisor = {
    facts: () => ({ libvirtAnswers: true, hypervisor: { uri: URI } }),
    observe: async () => here,
    instance: () => here ?? undefined,
  };
  const connectMs = change.peer === undefined ? 60_000 : 5;
  const procedure = createMigrate({ uri: URI, keepDir, giveUpMs: 1_000, connectMs }, { virsh, scopes, hypervisor });
  let started: (pid: number | null) => void = () => undefined;
  const begun = new Promise<number | null>((resolve) => {
    started = resolve;
  });
  const call = {
    entry: { opId: 'move-0001', instance: ID, pid: change.pid ?? null, pidStart: '1' } as Entry,
    args: { ...args, ...change.args },
    ...{ hypervisor, signal: controller.signal, why: () => 'It was cancelled.', started },
    progress: (_part: number | null, detail: JobDetail) => progress.push(detail),
    line: () => undefined,
  } as unknown as ProcedureCall;
  return {
    ...{ asked, progress, scopes, begun, finish, cancel: () => controller.abort() },
    run: () => procedure.run(call),
    recover: () => procedure.recover(call),
    gone: () => {
      here = null;
    },
  };
}

const late: VirshOutcome = { ended: 'deadline', stdout: '', stderr: '' };
const exit = (code: number, stderr = ''): VirshOutcome => ({ ended: 'exit', code, signal: null, stdout: '', stderr });

test('a move: the definition is kept, a short stop is asked for, the last word of libvirt has the numbers', async () => {
  const at = rig(exit(0));
  const outcome = at.run();
  expect(await at.begun).toBe(4711);
  expect(at.progress[0]).toMatchObject({ phase: 'prepares both hosts', downtimeLimitMs: 50 });
  const fields = {
    name: 'web1',
    operation: '5',
    downtime: '27',
    data_total: '100',
    data_processed: '80',
    memory_iteration: '4',
  };
  const line: NewLine = {
    tsMs: 1,
    level: 'info',
    source: 'libvirt',
    unit: 'job-completed',
    message: 'x',
    instance: ID,
    fields,
  };
  expect(at.scopes.mark(line)).toMatchObject({ job: 'move-0001' });
  at.finish();
  expect(await outcome).toMatchObject({
    state: 'done',
    result: { downtimeMs: 27, memoryBytes: 100, transferredBytes: 80, rounds: 4 },
  });
  expect(readFileSync(join(keepDir, `${ID}.xml`), 'utf8')).toBe('<domain/>');
  expect(at.asked).toContain('migrate-setmaxdowntime --downtime=50');
});

test.each<[what: string, end: VirshOutcome, state: string]>([
  ['libvirt says no', exit(1, 'error: internal error: no'), 'failed'],
  ['the daemon went away', exit(1, 'error: End of file while reading data'), 'unknown'],
  ['virsh was killed', { ended: 'exit', code: null, signal: 'SIGKILL', stdout: '', stderr: '' }, 'unknown'],
  ['virsh never came back', { ended: 'aborted', stdout: '', stderr: '' }, 'unknown'],
])('%s', async (_what, end, state) => {
  const at = rig(end);
  const outcome = at.run();
  await at.begun;
  at.finish();
  expect((await outcome).state).toBe(state);
});

test('a cancel asks libvirt to stop; what comes of it is still virsh’s word', async () => {
  for (const [end, state] of [
    [exit(1, 'error: canceled by client'), 'cancelled'],
    [exit(0), 'done'],
  ] as const) {
    const at = rig(end);
    const outcome = at.run();
    await at.begun;
    at.cancel();
    expect(at.asked).toContain('domjobabort');
    at.finish();
    expect((await outcome).state).toBe(state);
  }
});

test.each<[what: string, state: 'running' | 'shutoff', change: Partial<MigrateArgs>, code: string]>([
  ['live, but off', 'shutoff', {}, 'wrong-state'],
  ['cold, but running', 'running', { live: false }, 'wrong-state'],
  ['a URI that is none', 'running', { uri: 'qemu+ext://h/system?command=x' }, 'bad-request'],
])('refuses: %s', async (_what, state, change, code) => {
  const at = rig(exit(0), { state, args: change });
  expect(await at.run()).toMatchObject({ state: 'failed', error: { code } });
  expect(at.asked.some((words) => words.startsWith('migrate '))).toBe(false);
});

test('after a restart of the agent: it tells what it sees, and begins nothing', async () => {
  const at = rig(exit(0));
  at.gone();
  expect(await at.recover()).toMatchObject({ state: 'unknown', afterState: null });
  expect(at.asked.some((words) => words.startsWith('migrate '))).toBe(false);
});

test('a target that is gone before anything was sent is not waited for: libvirt is told to end, and virsh is ended', async () => {
  for (const peer of [() => exit(1, 'error: no route'), (): VirshOutcome => ({ ...late })]) {
    const at = rig(exit(0), { peer });
    expect(await at.run()).toMatchObject({ state: 'failed', error: { code: 'host-unreachable' } });
    expect(at.asked).toContain('domjobabort');
  }
  const at = rig(exit(1, 'error: canceled by client'), { peer: () => exit(1) });
  const outcome = at.run();
  await at.begun;
  at.cancel();
  expect(await outcome).toMatchObject({ state: 'cancelled' });
});

test('a target that answers may take its time, and so may one that missed a single question', async () => {
  let questions = 0;
  let enough: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const at = rig(exit(0), {
    peer() {
      questions += 1;
      if (questions > 6) enough();
      return questions % 2 === 0 ? exit(1) : exit(0);
    },
  });
  const outcome = at.run();
  await asked;
  expect(at.asked).not.toContain('domjobabort');
  at.finish();
  expect(await outcome).toMatchObject({ state: 'done' });
});

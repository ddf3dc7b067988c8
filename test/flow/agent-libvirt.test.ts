import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NewLine } from '../../common/model/line.ts';
import { type CommandRunner, createCommandRunner } from '../../node-agent/commands/runner.ts';
import { createHypervisor, type Hypervisor } from '../../node-agent/libvirt/hypervisor.ts';
import type { HypervisorEvent } from '../../node-agent/libvirt/hypervisor-events.ts';
import { command, ended, silent } from '../support/command-rig.ts';
import { type PrivateLibvirtd, startPrivateLibvirtd } from '../support/private-libvirtd.ts';

// The agent's libvirt and commands against a real libvirtd with real QEMU. No timed re-read helps: samples are off.
const id = (n: number) => `aaaaaaaa-0000-4000-8000-0000000000${String(n).padStart(2, '0')}`;
const ONE = id(1);

describe.skipIf(process.getuid?.() !== 0)('a real libvirtd (needs root)', () => {
  let libvirtd: PrivateLibvirtd;
  let hypervisor: Hypervisor;
  let commands: CommandRunner;
  let folder: string;
  let lines: NewLine[];
  let heard: HypervisorEvent[];
  const lookers = new Set<() => void>();

  beforeAll(async () => {
    libvirtd = await startPrivateLibvirtd();
    // The first look at the QEMU binaries takes seconds and stalls every other call.
    await libvirtd.virsh('capabilities');
    for (let n = 1; n <= 12; n += 1) await libvirtd.define(`guest${n}`, id(n));
  });
  afterAll(() => libvirtd.stop());

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'webvirt-agent-libvirt-'));
    lines = [];
    heard = [];
    const { uri, runDir, procDir, qemuLogDir } = libvirtd;
    hypervisor = createHypervisor(
      { uri, sampleEveryMs: 3_600_000, virshPath: 'virsh', qemuLogDir, runDir, procDir, readDeadlineMs: 5_000 },
      { emit, log: silent, now: Date.now },
    );
    hypervisor.on((event) => {
      heard.push(event);
      lookAll();
    });
    await hypervisor.start();
    await until(() => hypervisor.listed());
    commands = runner('journal');
  });
  afterEach(async () => {
    await commands.stop();
    await hypervisor.stop();
    for (const name of (await libvirtd.virsh('list', '--uuid')).split('\n').filter((line) => line !== ''))
      await libvirtd.virsh('destroy', '--', name).catch(() => undefined);
    rmSync(folder, { recursive: true });
  });

  function runner(name: string): CommandRunner {
    return createCommandRunner(
      { journalPath: join(folder, `${name}.sqlite`) },
      { hypervisor, emit: (line) => lines.push(line), log: silent, now: Date.now },
    );
  }

  /** Looks again after every event of the hypervisor and every line. */
  function until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        lookers.delete(look);
        resolve();
      };
      lookers.add(look);
      look();
    });
  }
  const lookAll = () => {
    for (const look of [...lookers]) look();
  };

  const emit = (line: NewLine) => {
    lines.push(line);
    lookAll();
  };

  const state = (n: number) => hypervisor.instance(id(n))?.state;
  const words = () => lines.filter(({ source }) => source === 'libvirt').map(({ message }) => message);

  test('what virsh does behind our back is seen, whole, without polling', async () => {
    await libvirtd.virsh('start', 'guest1');
    await until(() => state(1) === 'running');
    await libvirtd.virsh('suspend', 'guest1');
    await until(() => state(1) === 'paused');
    await libvirtd.virsh('managedsave', 'guest1');
    await until(() => state(1) === 'saved');
    await libvirtd.virsh('start', 'guest1');
    await until(() => state(1) === 'running' || state(1) === 'paused');
    await libvirtd.virsh('desc', 'guest1', '--title', 'a "title"; <b>', '--config', '--live');
    await until(() => hypervisor.instance(ONE)?.title === 'a "title"; <b>');
    await libvirtd.virsh('destroy', 'guest1');
    await until(() => state(1) === 'shutoff');
    expect(hypervisor.instance(ONE)).toMatchObject({
      stateReason: 'destroyed',
      vcpus: 1,
      memoryBytes: 24 * 1024 * 1024,
    });

    await libvirtd.define('late', id(40));
    await until(() => state(40) === 'shutoff');
    await libvirtd.virsh('domrename', 'late', 'later');
    await until(() => hypervisor.instance(id(40))?.name === 'later');
    await libvirtd.virsh('undefine', 'later');
    await until(() => heard.some((event) => event.t === 'gone' && event.id === id(40)));
    expect(hypervisor.idOf('later')).toBeUndefined();

    await until(() => words().includes('later: lifecycle: Undefined Removed'));
    expect(words()).toContain('guest1: lifecycle: Stopped Destroyed');
    for (const line of lines) expect([ONE, id(40)]).toContain(line.instance);
  });

  test('a machine named 1 beside the running id 1: every road takes the right one', async () => {
    await libvirtd.restart();
    await until(() => hypervisor.facts().libvirtAnswers);
    expect(await ended(commands, command('start', { instance: ONE }))).toMatchObject({ state: 'done' });
    const running = (await libvirtd.virsh('list', '--id')).trim();
    await libvirtd.define(running, id(41));
    await until(() => state(41) === 'shutoff');
    // virsh itself takes the name for the id.
    expect((await libvirtd.virsh('domuuid', running)).trim()).toBe(ONE);

    expect(await ended(commands, command('force-off', { instance: id(41) }))).toMatchObject({ result: { noop: true } });
    expect(await ended(commands, command('start', { instance: id(41) }))).toMatchObject({ state: 'done' });
    expect(await ended(commands, command('pause', { instance: id(41) }))).toMatchObject({ state: 'done' });
    await until(() => state(41) === 'paused');
    expect((await hypervisor.observe(ONE))?.state).toBe('running');
    expect(await ended(commands, command('force-off', { instance: id(41) }))).toMatchObject({ state: 'done' });
    expect((await hypervisor.observe(ONE))?.state).toBe('running');
    await until(() => words().includes(`${running}: lifecycle: Stopped Destroyed`));
    for (const line of lines.filter(({ fields }) => fields?.['name'] === running)) expect(line.instance).toBe(id(41));
    await libvirtd.virsh('undefine', '--', id(41));
    await until(() => state(41) === undefined);
  });

  test('a double start, by one manager and by two, starts once', async () => {
    const other = runner('other');
    const starts = [commands, commands, other, other].map((to, n) => ended(to, command('start', { actor: `a${n}` })));
    const reports = await Promise.all(starts);
    expect(reports.map(({ error }) => error?.code).filter((code) => code === 'busy').length).toBe(2);
    expect(reports.filter((report) => report.state === 'done').length).toBe(2);
    expect(await ended(commands, command('start'))).toMatchObject({ result: { noop: true } });
    await until(() => words().some((text) => text.includes('Started')));
    expect(words().filter((text) => text.includes('Started')).length).toBe(1);
    await other.stop();
  });

  test('a save and its restore; a replay of the save does not save again', async () => {
    await ended(commands, command('start'));
    const save = command('save');
    expect(await ended(commands, save)).toMatchObject({ state: 'done', result: { state: 'saved' } });
    expect(await ended(commands, command('restore'))).toMatchObject({ state: 'done', result: { state: 'running' } });
    expect(commands.submit(save)).toMatchObject({ state: 'done', final: true });
    expect((await hypervisor.observe(ONE))?.state).toBe('running');
    await until(() => words().some((text) => text.includes('Restored')));
  });

  test('a frozen libvirtd: unknown, never failed; few virsh; all is well again afterwards', async () => {
    await ended(commands, command('start'));
    libvirtd.signal('SIGSTOP');
    try {
      // The memory of the agent is still good: these are sent, and hang.
      const all = Array.from({ length: 12 }, (_, n) => {
        const verb = n === 0 ? 'pause' : 'start';
        return ended(commands, command(verb, { instance: id(n + 1), args: { timeoutMs: 1_500 } }));
      });
      let most = 0;
      const count = setInterval(() => {
        most = Math.max(most, virshChildren());
      }, 5);
      const reports = await Promise.all(all);
      clearInterval(count);
      expect(most).toBeLessThanOrEqual(8);
      expect(most).toBeGreaterThan(3);
      for (const { state: ended, error } of reports)
        if (ended === 'failed') expect(error?.message).toMatch(/nothing was sent/i);
        else expect(ended).toBe('unknown');
      expect(reports.filter((report) => report.state === 'unknown').length).toBeGreaterThanOrEqual(6);
      await until(() => !hypervisor.facts().libvirtAnswers);
      expect(hypervisor.facts().limited).toContain('does not answer');
      // What was known is kept, and nothing more is sent.
      expect(hypervisor.instances().length).toBe(12);
      expect(await ended(commands, command('reset'))).toMatchObject({ error: { code: 'libvirt-unavailable' } });
    } finally {
      libvirtd.signal('SIGCONT');
    }
    await until(() => hypervisor.facts().libvirtAnswers);
    expect(await ended(commands, command('force-off'))).toMatchObject({ state: 'done' });
  });

  test('a libvirtd that dies and comes back: the guests live on and events flow again', async () => {
    await ended(commands, command('start'));
    heard.length = 0;
    await libvirtd.restart();
    await until(() => heard.some(({ t }) => t === 'relisted'));
    expect(state(1)).toBe('running');
    await libvirtd.virsh('suspend', 'guest1');
    await until(() => state(1) === 'paused');
  });

  function virshChildren(): number {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
    return children.filter((pid) => isVirsh(pid)).length;
  }
});

function isVirsh(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'virsh\n';
  } catch {
    return false;
  }
}

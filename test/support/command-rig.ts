import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import winston from 'winston';
import { isWebvirtError } from '../../common/errors.ts';
import type { NewLine } from '../../common/model/line.ts';
import type { Command, JobReport } from '../../common/wire/link.ts';
import type { CommandHypervisor } from '../../node-agent/commands/command-hypervisor.ts';
import type { Procedure } from '../../node-agent/commands/procedures/procedure.ts';
import { type CommandRunner, type CommandRunnerConfig, createCommandRunner } from '../../node-agent/commands/runner.ts';
import { createHypervisor } from '../../node-agent/libvirt/hypervisor.ts';

export const ONE = 'aaaaaaaa-0000-4000-8000-000000000001';
/** Its name is `1`, beside the running domain id 1. */
export const TWO = 'aaaaaaaa-0000-4000-8000-000000000002';
const domain = (name: string, uuid: string) =>
  `<domain type='test'><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>`;
const NODE = `<node>${domain('one', ONE)}${domain('1', TWO)}</node>`;

export const silent = winston.createLogger({ silent: true });

/**
 * A command runner on a private copy of libvirt's own test driver: real virsh, real state, nothing on the host.
 * `stop` ends and removes everything.
 */
export async function commandRig() {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-commands-'));
  writeFileSync(join(folder, 'node.xml'), NODE);
  const hypervisor = createHypervisor(
    { uri: `test://${folder}/node.xml`, sampleEveryMs: 60_000, virshPath: 'virsh', qemuLogDir: folder, runDir: folder },
    { emit: () => undefined, log: silent, now: Date.now },
  );
  const runners: CommandRunner[] = [];
  const lines: NewLine[] = [];
  /** What virsh was really told, by words. */
  const sent: string[] = [];
  await hypervisor.start();
  await new Promise<void>((resolve) => {
    const look = () => hypervisor.listed() && resolve();
    hypervisor.on(look);
    look();
  });

  return {
    folder,
    hypervisor,
    lines,
    sent,
    /** `change` replaces what the runner sees of the hypervisor. */
    runner(
      change: Partial<CommandHypervisor> = {},
      { now = Date.now, ...config }: Partial<CommandRunnerConfig> & { now?: () => number } = {},
      procedures: readonly Procedure[] = [],
    ): CommandRunner {
      const { run = hypervisor.run, ...others } = change;
      const seen: CommandHypervisor = {
        facts: hypervisor.facts,
        listed: hypervisor.listed,
        instance: hypervisor.instance,
        observe: hypervisor.observe,
        on: hypervisor.on,
        run(words, id, options) {
          sent.push([...words, id].join(' '));
          return run(words, id, options);
        },
        ...others,
      };
      const made = createCommandRunner(
        { journalPath: join(folder, 'journal.sqlite'), ...config },
        { hypervisor: seen, emit: (line) => lines.push(line), log: silent, now, procedures },
      );
      runners.push(made);
      return made;
    },
    /** Ends a runner as a stop of the agent does. */
    async end(runner: CommandRunner): Promise<void> {
      runners.splice(runners.indexOf(runner), 1);
      await runner.stop();
    },
    async stop(): Promise<void> {
      for (const runner of runners) await runner.stop();
      await hypervisor.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
export type CommandRig = Awaited<ReturnType<typeof commandRig>>;

let count = 0;

/** A command with an opId of its own. */
export function command(verb: string, change: Partial<Command> = {}): Command {
  count += 1;
  const opId = `op-${String(count).padStart(8, '0')}`;
  const expiresMs = Date.now() + 60_000;
  return { opId, verb, instance: ONE, args: {}, actor: 'admin@localhost', fence: 1, expiresMs, ...change };
}

/** Submits and waits for the final report. */
export function ended(runner: CommandRunner, one: Command): Promise<JobReport> {
  return new Promise((resolve) => {
    const off = runner.on((report) => {
      if (report.opId !== one.opId || !report.final) return;
      off();
      resolve(report);
    });
    const first = runner.submit(one);
    if (!first.final) return;
    off();
    resolve(first);
  });
}

/** A `run` of the hypervisor that waits until it is opened. */
export function gated(run: CommandHypervisor['run']) {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const gate: CommandHypervisor['run'] = async (words, id, options) => {
    await opened;
    return run(words, id, options);
  };
  return { run: gate, open: () => open() };
}

/** True when the work throws an error of this code. */
export function throwsCode(work: () => unknown, code: Parameters<typeof isWebvirtError>[1]): boolean {
  try {
    work();
  } catch (error) {
    return isWebvirtError(error, code);
  }
  return false;
}

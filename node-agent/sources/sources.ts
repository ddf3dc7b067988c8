import { type ConsoleInstances, type ConsoleLogConfig, createConsoleLog } from './console/console-log.ts';
import { createFiles, type FileRule } from './files/files.ts';
import { createJournal, type JournalConfig } from './journal/journal.ts';
import { createLibvirtLog } from './qemu/libvirt-log.ts';
import { createQemuLog } from './qemu/qemu-log.ts';
import type { Source, SourceDeps } from './source.ts';
import type { FollowConfig } from './tail/follow-config.ts';
import { createOpenFiles } from './tail/open-files.ts';
import { createRounds } from './tail/rounds.ts';

export interface SourcesConfig extends FollowConfig {
  qemuLogDir: string;
  libvirtLogs: string;
  rules: readonly FileRule[];
  limitFiles: number;
  openFiles: number;
  /** Null: consoles are not kept. */
  console: Pick<ConsoleLogConfig, 'consoleLogDir' | 'partialAfterMs' | 'behindBytes' | 'hostName'> | null;
  /** Null: the journal is not read. */
  journal: Pick<JournalConfig, 'journalctl' | 'directory' | 'past' | 'exclude'> | null;
}

export interface SourcesDeps extends SourceDeps {
  /** Bytes of lines that are taken and not on disk. */
  unwrittenBytes(): number;
  idOf(name: string): string | undefined;
  consoles: ConsoleInstances;
}

/** While more than this waits for the disk, files are left where they are. */
const BUSY_BYTES = 2 * 1024 * 1024;
const FAULT_AGAIN_MS = 600_000;
const MAX_FAULTS = 100;

/** Says each fault once in ten minutes: a file that may not be read is tried again and again. */
function createFaults({ log, now }: Pick<SourcesDeps, 'log' | 'now'>): (error: unknown) => void {
  const saidMs = new Map<string, number>();
  return (error) => {
    const reason = String(error).slice(0, 512);
    const nowMs = now();
    if (nowMs - (saidMs.get(reason) ?? Number.NEGATIVE_INFINITY) < FAULT_AGAIN_MS) return;
    saidMs.delete(reason);
    saidMs.set(reason, nowMs);
    for (const oldest of saidMs.keys()) if (saidMs.size > MAX_FAULTS) saidMs.delete(oldest);
    log.warn('A log could not be read', { reason });
  };
}

/** All sources of this host. libvirt's own events come from the hypervisor. */
export function createSources(config: SourcesConfig, deps: SourcesDeps): Source {
  const isBusy = () => deps.unwrittenBytes() > BUSY_BYTES;
  const shared = {
    files: createOpenFiles(config.openFiles),
    rounds: createRounds({
      isBusy,
      onFault: createFaults(deps),
    }),
  };
  const list: Source[] = [
    createQemuLog(config, { ...deps, ...shared }),
    createLibvirtLog(config, { ...deps, ...shared }),
    ...(config.console === null ? [] : [createConsoleLog({ ...config, ...config.console }, { ...deps, ...shared })]),
    createFiles(config, { ...deps, ...shared }),
    ...(config.journal === null ? [] : [createJournal({ ...config, ...config.journal }, { ...deps, isBusy })]),
  ];
  return {
    async start() {
      for (const source of list) await source.start();
    },
    async stop() {
      for (const source of list.toReversed()) await source.stop();
      shared.rounds.stop();
    },
  };
}

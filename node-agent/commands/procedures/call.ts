import type { CommandDeps } from '../command-hypervisor.ts';
import { type Entry, toReport } from '../journal-entry.ts';
import type { Procedure, ProcedureCall } from './procedure.ts';

/** What the runner lends a procedure: how to tell that it began and how far it is, while it still has its place. */
export interface CallHooks {
  signal: AbortSignal;
  why(): string;
  started(pid: number | null): void;
  /** The entry as it is now; null once the operation lost its place. */
  now(): Entry | null;
  tell(report: ReturnType<typeof toReport>): void;
}

export function procedureCall(
  entry: Entry,
  procedure: Procedure,
  deps: Pick<CommandDeps, 'hypervisor' | 'emit' | 'now'>,
  hooks: CallHooks,
): ProcedureCall {
  const { opId: job, instance } = entry;
  return {
    entry,
    args: procedure.args.parse(entry.args),
    hypervisor: deps.hypervisor,
    signal: hooks.signal,
    why: hooks.why,
    started: hooks.started,
    progress(progress, detail) {
      const now = hooks.now();
      if (now !== null) hooks.tell({ ...toReport(now), progress, detail });
    },
    line: (level, message, fields) =>
      deps.emit({
        ...{ tsMs: deps.now(), level, source: 'agent', unit: 'commands', message, job },
        ...(instance === null ? {} : { instance }),
        ...(fields === undefined ? {} : { fields }),
      }),
  };
}

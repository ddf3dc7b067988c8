import type { z } from 'zod';
import type { JobDetail } from '../../../common/model/job.ts';
import type { Level } from '../../../common/model/line.ts';
import type { CommandHypervisor } from '../command-hypervisor.ts';
import type { Entry, Outcome } from '../journal-entry.ts';

/**
 * An operation that is more than one word to virsh. The runner journals it before it begins, allows one at a time on an
 * instance, tells its progress and its end. To add one:
 * 1. its name in `PROCEDURES` of common/model/words.ts;
 * 2. a `Procedure` in a file of its own here, made by `createX(config, deps)` and handed to the runner by `agent.ts`;
 * 3. a test that kills the agent in the middle: `recover` must say what became of it, or that nobody knows.
 */
export interface Procedure<A = unknown> {
  name: string;
  args: z.ZodType<A>;
  /** `new`: the instance does not exist yet; `host`: the operation concerns none. */
  on: 'instance' | 'new' | 'host';
  /** True when a cancel aborts `call.signal` and the procedure heeds it. */
  cancellable?: boolean;
  /** Does it, and says what came of it. A rejection counts as a failure inside. */
  run(call: ProcedureCall<A>): Promise<Outcome>;
  /** The agent was restarted in the middle: looks at what became of it. Nothing is begun a second time by guess. */
  recover(call: ProcedureCall<A>): Promise<Outcome>;
}

export interface ProcedureCall<A = unknown> {
  /** As journalled; `entry.instance` is the UUID, `entry.pid` the process that an earlier life had started. */
  entry: Readonly<Entry>;
  args: A;
  hypervisor: CommandHypervisor;
  /** Aborts when the job is cancelled; `why` says by whom. The outcome is still the procedure's own word. */
  signal: AbortSignal;
  why(): string;
  /** The work is under way; `pid` lets a later life of the agent wait for it. Must be called once, before any effect. */
  started(pid: number | null): void;
  /** Tells how far it is, at most a few times a second. Not journalled. */
  progress(progress: number | null, detail: JobDetail): void;
  /** Writes a line that carries the job and the instance. */
  line(level: Level, message: string, fields?: Record<string, unknown>): void;
}

/** Keeps the type of the arguments inside one file. */
export function defineProcedure<A>(procedure: Procedure<A>): Procedure {
  return procedure as unknown as Procedure;
}

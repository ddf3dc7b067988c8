import { z } from 'zod';
import { SESSION_STATES } from './words.ts';

/** `python` is everywhere; `sage` where SageMath is installed. */
export const kernelNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'the name of a kernel, such as python or sage');

/** A kernel that a compute server has loaded. */
export const kernelSchema = z.object({
  name: kernelNameSchema,
  /** For people, such as `SageMath 9.5` or `Python 3.11.2`. */
  title: z.string().max(128),
  /** Children that wait, forked and contained, for the next session. */
  pooled: z.number().int().nonnegative(),
});
export type Kernel = z.infer<typeof kernelSchema>;

/** One limit or wall of the containment, as the start-up self-test found it. */
export const containmentCheckSchema = z.object({
  /** `uid`, `pid-namespace`, `network`, `files`, `memory`, `cpu`, `processes`, `syscalls`, … */
  name: z.string().max(64),
  holds: z.boolean(),
  /** What was tried and what happened. */
  text: z.string().max(512),
});
export type ContainmentCheck = z.infer<typeof containmentCheckSchema>;

export const computeLimitsSchema = z.object({
  memoryBytes: z.number(),
  processes: z.number().int(),
  /** Share of one CPU: 1 is one whole core. */
  cpus: z.number(),
  diskBytes: z.number(),
  outputBytes: z.number(),
  /** Wall-clock time of one cell, of a session without any cell or viewer, and of a whole session. */
  cellMs: z.number(),
  idleMs: z.number(),
  lifeMs: z.number(),
  sessions: z.number().int(),
});
export type ComputeLimits = z.infer<typeof computeLimitsSchema>;

/** The compute server of a host, as its agent reports it. */
export const computeServerSchema = z.object({
  /** `absent`: none answers on this host; `refused`: it runs but its containment does not hold, so it computes nothing. */
  state: z.enum(['ready', 'starting', 'refused', 'absent']),
  /** Why it is not ready, in words for people. */
  reason: z.string().max(1024).nullable(),
  kernels: z.array(kernelSchema).max(16),
  checks: z.array(containmentCheckSchema).max(64),
  limits: computeLimitsSchema.nullable(),
  sessions: z.number().int().nonnegative(),
});
export type ComputeServer = z.infer<typeof computeServerSchema>;

/** A result in the representations that the kernel could make: `text/plain` always, images as base64. */
export const mimeBundleSchema = z.record(z.string().max(128), z.string());
export type MimeBundle = z.infer<typeof mimeBundleSchema>;

export const DEATH_CAUSES = [
  'terminated',
  'out-of-memory',
  'cell-time',
  'idle',
  'life-time',
  'crash',
  'exit',
  'output-limit',
  'server-gone',
  'agent-gone',
  'host-gone',
  /** It was never opened: its host had no room or no such kernel after all. */
  'refused',
] as const;

/** How a session ended, with the proof (a cgroup counter, a signal, a deadline). */
export const deathSchema = z.object({
  cause: z.enum(DEATH_CAUSES),
  text: z.string().max(1024),
});
export type Death = z.infer<typeof deathSchema>;

/** What happens in a session, in order. `cell` numbers the pieces of code of a session from 1. */
export const outputEventSchema = z.discriminatedUnion('type', [
  /**
   * `replaces`: the cell of which this is the next run, changed or not: it stands at its place. `after`: the cell it was
   * put behind. Without both it stands at the end. Only who draws a notebook needs them.
   */
  z.object({
    type: z.literal('input'),
    cell: z.number().int(),
    code: z.string(),
    actor: z.string(),
    replaces: z.number().int().optional(),
    after: z.number().int().optional(),
  }),
  z.object({ type: z.literal('started'), cell: z.number().int() }),
  z.object({ type: z.literal('stdout'), cell: z.number().int(), text: z.string() }),
  z.object({ type: z.literal('stderr'), cell: z.number().int(), text: z.string() }),
  /** The value of the last expression. */
  z.object({ type: z.literal('result'), cell: z.number().int(), data: mimeBundleSchema }),
  /** Shown by the code itself: a plot, `display(…)`. */
  z.object({ type: z.literal('display'), cell: z.number().int(), data: mimeBundleSchema }),
  /** An exception. `traceback` is plain text, without terminal colours. */
  z.object({
    type: z.literal('error'),
    cell: z.number().int(),
    name: z.string(),
    message: z.string(),
    traceback: z.string(),
  }),
  /** Output above a limit was not kept. */
  z.object({ type: z.literal('skipped'), cell: z.number().int(), bytes: z.number(), reason: z.string() }),
  z.object({
    type: z.literal('ended'),
    cell: z.number().int(),
    status: z.enum(['ok', 'error', 'interrupted', 'died']),
    elapsedMs: z.number(),
  }),
  z.object({ type: z.literal('died'), cell: z.number().int().nullable(), death: deathSchema }),
]);
export type OutputEvent = z.infer<typeof outputEventSchema>;

/** An event as it is kept and shown: `seq` counts from 0 in each session without a hole. */
export const numberedEventSchema = z.object({ seq: z.number().int(), tsMs: z.number(), event: outputEventSchema });
export type NumberedEvent = z.infer<typeof numberedEventSchema>;

/** A session as the manager presents it. `host` is the id of its host. */
export const sessionSchema = z.object({
  id: z.string(),
  kernel: kernelNameSchema,
  title: z.string().max(128),
  host: z.string(),
  hostName: z.string(),
  state: z.enum(SESSION_STATES),
  owner: z.string(),
  createdMs: z.number(),
  endedMs: z.number().nullable(),
  /** Cells sent so far, and the one that runs now. */
  cells: z.number().int(),
  runningCell: z.number().int().nullable(),
  /** Events kept; the next one gets this number. */
  nextSeq: z.number().int(),
  /** Last use as its cgroup tells: bytes now, CPU seconds so far. */
  memoryBytes: z.number().nullable(),
  cpuMs: z.number().nullable(),
  death: deathSchema.nullable(),
});
export type Session = z.infer<typeof sessionSchema>;

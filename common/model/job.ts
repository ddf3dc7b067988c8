import { z } from 'zod';
import { JOB_STATES } from './words.ts';

export { JOB_STATES } from './words.ts';
export type JobState = (typeof JOB_STATES)[number];

/** A caller's own id of an operation; the job has the same id. */
export const opIdSchema = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'an opId is 8 to 64 letters, digits, - or _');

export const jobErrorSchema = z.object({ code: z.string(), message: z.string() });

/** How far a job is, in numbers that mean something. Times in milliseconds, sizes in bytes, rates per second. */
export const jobDetailSchema = z.object({
  /** What is done now, in words for people, such as `copies memory` or `makes the disk`. */
  phase: z.string().max(128),
  elapsedMs: z.number().nonnegative().optional(),
  totalBytes: z.number().nonnegative().optional(),
  processedBytes: z.number().nonnegative().optional(),
  remainingBytes: z.number().nonnegative().optional(),
  rateBps: z.number().nonnegative().optional(),
  /** How fast the guest changes memory that was copied already. */
  dirtyRateBps: z.number().nonnegative().optional(),
  /** Passes over the guest's memory so far. */
  rounds: z.number().int().nonnegative().optional(),
  expectedDowntimeMs: z.number().nonnegative().optional(),
  downtimeLimitMs: z.number().nonnegative().optional(),
});
export type JobDetail = z.infer<typeof jobDetailSchema>;

/** Where a new instance goes and why; `passed` are hosts that were looked at and not taken, with the reason of each. */
export const placementSchema = z.object({
  host: z.string(),
  hostName: z.string(),
  /** Why this one, in words for people. */
  reason: z.string(),
  passed: z.array(z.object({ host: z.string(), hostName: z.string(), reason: z.string() })),
});
export type Placement = z.infer<typeof placementSchema>;

/** An operation that takes time. `progress` is 0..1 or null where it cannot be known; `unknown` needs a person to look. */
export const jobSchema = z.object({
  id: z.string(),
  verb: z.string(),
  state: z.enum(JOB_STATES),
  progress: z.number().min(0).max(1).nullable(),
  instance: z.string().nullable(),
  instanceName: z.string().nullable(),
  host: z.string().nullable(),
  hostName: z.string().nullable(),
  /** The other host of a migration. */
  target: z.string().optional(),
  targetName: z.string().optional(),
  /** Of a launch. */
  placement: placementSchema.optional(),
  /** Only while it runs. */
  detail: jobDetailSchema.optional(),
  actor: z.string(),
  createdMs: z.number(),
  startedMs: z.number().nullable(),
  endedMs: z.number().nullable(),
  error: jobErrorSchema.nullable(),
  result: z.record(z.string(), z.unknown()).nullable(),
});
export type Job = z.infer<typeof jobSchema>;

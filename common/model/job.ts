import { z } from 'zod';
import { JOB_STATES } from './words.ts';

export { JOB_STATES } from './words.ts';
export type JobState = (typeof JOB_STATES)[number];

/** A caller's own id of an operation; the job has the same id. */
export const opIdSchema = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'an opId is 8 to 64 letters, digits, - or _');

export const jobErrorSchema = z.object({ code: z.string(), message: z.string() });

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
  actor: z.string(),
  createdMs: z.number(),
  startedMs: z.number().nullable(),
  endedMs: z.number().nullable(),
  error: jobErrorSchema.nullable(),
  result: z.record(z.string(), z.unknown()).nullable(),
});
export type Job = z.infer<typeof jobSchema>;

import { z } from 'zod';
import { levelSchema, sourceSchema } from './line.ts';

/** What a search, a rule and a stream ask for, without a range of time. `q` is the query language. */
export const lineQuerySchema = z.object({
  q: z.string().max(2_000).default(''),
  /** Least severe level that matches. */
  level: levelSchema.optional(),
  host: z.string().max(255).optional(),
  instance: z.string().max(64).optional(),
  source: sourceSchema.optional(),
  job: z.string().max(64).optional(),
  session: z.string().max(64).optional(),
});
export type LineQuery = z.infer<typeof lineQuerySchema>;

/** A filter that somebody kept under a name. A shared one is seen by everyone and changed by its owner alone. */
export const savedSearchSchema = z.object({
  id: z.string(),
  name: z.string().min(1).max(100),
  owner: z.string(),
  shared: z.boolean(),
  query: lineQuerySchema,
  /** Fields shown as columns beside the message, in order. */
  columns: z.array(z.string().max(64)).max(20),
  createdMs: z.number(),
  changedMs: z.number(),
});
export type SavedSearch = z.infer<typeof savedSearchSchema>;

/** A time whose lines retention leaves alone, and why. */
export const keepMarkSchema = z.object({
  id: z.string(),
  /** On the time that lines are ordered by. `fromMs` included, `toMs` excluded. */
  fromMs: z.number(),
  toMs: z.number(),
  note: z.string(),
  owner: z.string(),
  createdMs: z.number(),
});
export type KeepMark = z.infer<typeof keepMarkSchema>;

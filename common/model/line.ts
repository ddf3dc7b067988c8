import { z } from 'zod';
import { LEVELS, SOURCES } from './words.ts';

export { LEVELS, SOURCES } from './words.ts';

export type Level = (typeof LEVELS)[number];
export type Source = (typeof SOURCES)[number];

export const levelSchema = z.enum(LEVELS);
export const sourceSchema = z.enum(SOURCES);

/** Numbers `from..to` (both included) that were never stored, with the reason why. */
export const gapSchema = z.object({
  from: z.number().int().nonnegative(),
  to: z.number().int().nonnegative(),
  reason: z.string(),
  bytes: z.number().int().nonnegative(),
  firstTsMs: z.number().optional(),
  lastTsMs: z.number().optional(),
});
export type Gap = z.infer<typeof gapSchema>;

/**
 * One log record as it leaves the manager. Immutable. `id` is `<agent>.<epoch>.<seq>`; `host` is the id of the host
 * (which is the agent's id, or empty for lines of the manager and the crawler); `hostName` is for people.
 */
export const lineSchema = z.object({
  id: z.string(),
  tsMs: z.number(),
  receivedMs: z.number(),
  /** The time by which lines of all hosts are ordered, where it is not `tsMs`: the agent's clock was off, or ahead. */
  sortMs: z.number().optional(),
  level: levelSchema,
  host: z.string(),
  hostName: z.string(),
  agent: z.string(),
  source: sourceSchema,
  unit: z.string().optional(),
  instance: z.string().optional(),
  job: z.string().optional(),
  session: z.string().optional(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).optional(),
});
export type Line = z.infer<typeof lineSchema>;

/** What a source hands to the spool: everything the agent may say of a line. Identity and number come later. */
export interface NewLine {
  tsMs: number;
  level: Level;
  source: Source;
  message: string;
  unit?: string;
  instance?: string;
  job?: string;
  session?: string;
  fields?: Record<string, unknown>;
}

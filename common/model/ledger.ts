import { z } from 'zod';
import { gapSchema } from './line.ts';

const count = z.number().int().nonnegative();

/** A gap as the store has it. `filled`: how many of its numbers were brought in later, from the agent's spool. */
export const storedGapSchema = gapSchema.extend({ receivedMs: z.number(), filled: count });
export type StoredGap = z.infer<typeof storedGapSchema>;

/**
 * What became of every number that one agent gave out in one epoch: `0..next-1` are stored as lines or declared as gaps.
 * Nothing else happens to a number: `next = lines + lost`.
 */
export const ledgerEntrySchema = z.object({
  agent: z.string(),
  /** Host id, or '' for the manager and the crawler. */
  host: z.string(),
  hostName: z.string(),
  epoch: z.string(),
  /** The first number the store lacks. */
  next: count,
  /** Numbers stored as lines; those that retention has removed since are among them. */
  lines: count,
  /** Numbers declared as gaps and not filled. */
  lost: count,
  /** Frames that came again and were refused, since this manager started. */
  duplicates: count,
  /** Lines that wait in the agent's spool now; null when the agent cannot be asked or does not hold this epoch. */
  waiting: count.nullable(),
  firstMs: z.number().nullable(),
  lastMs: z.number().nullable(),
  /** Newest first; at most a hundred. */
  gaps: z.array(storedGapSchema),
  gapCount: count,
});
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;

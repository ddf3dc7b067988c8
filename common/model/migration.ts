import { z } from 'zod';

/** One thing that must be true before an instance moves. `fail` keeps it from moving; `warn` is for the person to weigh. */
export const migrationCheckSchema = z.object({
  /** Stable word: `target-online`, `hypervisor`, `cpu`, `memory`, `network`, `disk`, `name`, `uuid`, `devices`, `state` … */
  check: z.string().max(64),
  verdict: z.enum(['ok', 'warn', 'fail']),
  /** What was found, why it matters and what to try, in one or two sentences for people. */
  text: z.string().max(1024),
});
export type MigrationCheck = z.infer<typeof migrationCheckSchema>;

/** All checks of one instance against one target. `movable`: none of them failed. */
export const migrationChecksSchema = z.object({
  instance: z.string(),
  target: z.string(),
  targetName: z.string(),
  live: z.boolean(),
  movable: z.boolean(),
  checks: z.array(migrationCheckSchema),
});
export type MigrationChecks = z.infer<typeof migrationChecksSchema>;

/** What the job of a finished migration has in its `result`; times in milliseconds, sizes in bytes. */
export const migrationResultSchema = z.object({
  source: z.string(),
  target: z.string(),
  totalMs: z.number(),
  /** How long the guest stood still, as libvirt measured it; null for a cold move, or where libvirt did not say. */
  downtimeMs: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  transferredBytes: z.number().nullable(),
  rounds: z.number().int().nullable(),
});
export type MigrationResult = z.infer<typeof migrationResultSchema>;

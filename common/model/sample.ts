import { z } from 'zod';

/** A short history in columns, oldest first: `tsMs[i]`, `cpuRatio[i]` and `memoryUsedBytes[i]` belong together. */
export const sampleSeriesSchema = z.object({
  /** UUID of an instance or id of a host. */
  id: z.string(),
  tsMs: z.array(z.number()),
  cpuRatio: z.array(z.number()),
  memoryUsedBytes: z.array(z.number()),
});
export type SampleSeries = z.infer<typeof sampleSeriesSchema>;

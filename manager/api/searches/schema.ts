import { z } from 'zod';
import { lineQuerySchema, savedSearchSchema } from '../../../common/model/search.ts';

export const searchParams = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) });

export const searchBody = z.strictObject({
  name: z.string().trim().min(1).max(100).describe('Yours alone: two of your searches never have the same name.'),
  shared: z.boolean().default(false).describe('Everybody sees it; only you change it.'),
  query: lineQuerySchema.describe('The filter, without a range of time.'),
  columns: z
    .array(z.string().min(1).max(64))
    .max(20)
    .default([])
    .describe('Fields shown as columns beside the message, in order.'),
});

export const searchAnswer = savedSearchSchema;
export const searchListAnswer = z.array(savedSearchSchema);

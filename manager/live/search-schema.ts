import { z } from 'zod';
import { levelSchema, sourceSchema } from '../../common/model/line.ts';

/** Matches of one search; who wants more goes on at `next`. */
export const LIMIT_SEARCH_LINES = 5_000;

const searchIdSchema = z.string().min(1).max(64);
/** The times that a Date can hold. */
const ms = z.number().min(-8.64e15).max(8.64e15);

export const searchSchema = z.object({
  id: searchIdSchema,
  q: z.string().max(2_000).optional(),
  level: levelSchema.optional(),
  host: z.string().max(255).optional(),
  instance: z.string().max(64).optional(),
  source: sourceSchema.optional(),
  job: z.string().max(64).optional(),
  session: z.string().max(64).optional(),
  from: ms.optional(),
  to: ms.optional(),
  cursor: z.string().max(128).optional(),
  limit: z.number().int().min(1).max(LIMIT_SEARCH_LINES).default(500),
});

export const cancelSchema = z.object({ id: searchIdSchema });

import { z } from 'zod';
import { levelSchema, sourceSchema } from '../../common/model/line.ts';
import { LIMIT_BACKLOG_LINES } from './backlog.ts';

export const uriSchema = z.object({ uri: z.string().min(1).max(2_048) });

const tailIdSchema = z.string().min(1).max(64);

export const tailSchema = z.object({
  id: tailIdSchema,
  q: z.string().max(2_000).optional(),
  level: levelSchema.optional(),
  host: z.string().max(255).optional(),
  instance: z.string().max(64).optional(),
  source: sourceSchema.optional(),
  job: z.string().max(64).optional(),
  session: z.string().max(64).optional(),
  backlog: z.number().int().min(0).max(LIMIT_BACKLOG_LINES).optional(),
  after: z.string().max(160).optional(),
});

export const untailSchema = z.object({ id: tailIdSchema });

export const tokenSchema = z.string().regex(/^[\x21-\x7e]{1,512}$/);

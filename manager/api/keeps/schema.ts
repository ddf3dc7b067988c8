import { z } from 'zod';
import { keepMarkSchema } from '../../../common/model/search.ts';

/** The times that a Date can hold. */
const ms = z.number().int().min(0).max(8.64e15);

export const keepParams = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) });
export const keepBody = z
  .strictObject({
    fromMs: ms.describe('Milliseconds since 1970; this moment included.'),
    toMs: ms.describe('This moment excluded.'),
    note: z.string().trim().max(500).default('').describe('Why they are kept, for the others.'),
  })
  .refine(({ fromMs, toMs }) => toMs > fromMs, { path: ['toMs'], message: 'must lie behind fromMs' });
export const keepAnswer = keepMarkSchema;
export const keepListAnswer = z.array(keepMarkSchema);

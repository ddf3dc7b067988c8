import { z } from 'zod';
import { uuidSchema } from '../../../common/model/instance.ts';

/** A person types a key or two; what is pasted comes in pieces. */
export const LIMIT_KEYS_CHARS = 4_096;

const consoleId = z.string().regex(/^[0-9a-f]{24}$/);
export const openSchema = z.strictObject({
  instance: uuidSchema,
  write: z.boolean(),
  force: z.boolean().default(false),
});
export const inputSchema = z.strictObject({ console: consoleId, data: z.string().min(1).max(LIMIT_KEYS_CHARS) });
export const closeSchema = z.strictObject({ console: consoleId });

import { z } from 'zod';
import { tokenSchema } from '../../../common/model/access.ts';

export const tokenBody = z.strictObject({
  name: z.string().trim().min(1).max(100).describe('What the token is for, in your words.'),
  expiresMs: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('Time (milliseconds since 1970) from which the token is refused; null: never.'),
});

export const tokenParams = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) });
export const tokenListAnswer = z.array(tokenSchema);
/** The only answer that ever holds the text of a token. */
export const newTokenAnswer = tokenSchema.extend({ token: z.string().describe('The token itself: shown this once.') });

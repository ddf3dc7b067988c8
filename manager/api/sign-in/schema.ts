import { z } from 'zod';
import { meSchema } from '../../../common/model/access.ts';

/** Body of a sign-in. The limits keep a flood of long passwords from costing more than the hash itself. */
export const signInBody = z.object({
  email: z.string().min(1).max(254).describe('E-mail address of the member.'),
  password: z.string().min(1).max(1024),
  remember: z.boolean().default(false).describe('Keep the session when the browser closes.'),
});

export const meAnswer = meSchema;

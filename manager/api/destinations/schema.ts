import { z } from 'zod';
import { destinationSchema } from '../../../common/model/rule.ts';

const name = z.string().trim().min(1).max(100);
const url = z.url().max(2_000).optional().describe('Needed when it is made; absent in a change: as it is.');

const together = z
  .boolean()
  .optional()
  .describe('What happens within a few seconds comes as one message (the default); false: each event apart.');

export const destinationParams = z.object({ id: z.string().regex(/^[0-9a-f-]{36}$/) });
export const destinationBody = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('email'), name, to: z.array(z.email().max(254)).min(1).max(50), together }),
  z.object({
    kind: z.literal('webhook'),
    name,
    url,
    template: z
      .string()
      .max(16_384)
      .default('')
      .describe('Body with places such as {{rule.name}}; empty: the whole event as JSON.'),
    secret: z
      .string()
      .max(256)
      .optional()
      .describe('Key of the signature. It is never shown. Absent in a change: as it is; empty: none.'),
    together,
  }),
  z.object({ kind: z.literal('chat'), name, url, together }),
]);
export const destinationAnswer = destinationSchema;
export const destinationListAnswer = z.array(destinationSchema);
export const destinationTestAnswer = z.object({
  sent: z.boolean(),
  error: z.string().nullable().describe('Why not.'),
  tookMs: z.number(),
});

import { z } from 'zod';
import { ruleDraftSchema, ruleEventSchema, ruleSchema } from '../../../common/model/rule.ts';
import { wholeNumber } from '../query-values.ts';

const id = z.string().regex(/^[0-9a-f-]{36}$/);

export const ruleParams = z.object({ id });
export const ruleBody = ruleDraftSchema;
export const ruleAnswer = ruleSchema;
export const ruleListAnswer = z.array(ruleSchema);

export const ruleEventQuery = z.object({
  rule: id.optional().describe('Only of this rule.'),
  limit: wholeNumber({ min: 1, max: 500 }).default(100),
  before: id.optional().describe('Id of an event: those before it.'),
});
export const ruleEventAnswer = z.array(ruleEventSchema);

export const muteBody = z.object({
  forMs: z
    .number()
    .int()
    .min(0)
    .max(30 * 86_400_000)
    .describe('Nobody is told for so long; 0: they are told again from now on.'),
});

export const previewBody = z.object({ draft: ruleDraftSchema });
export const previewAnswer = z.object({
  times: z
    .array(z.object({ tsMs: z.number(), group: z.string().nullable(), count: z.number().int() }))
    .describe('When it would have fired, oldest first; the newest 1,000.'),
  fired: z.number().int().describe('How often in all.'),
  linesSeen: z.number().int(),
  fromMs: z.number().describe('Back to here it was looked.'),
  toMs: z.number(),
  complete: z
    .boolean()
    .describe('False: there are more lines than one preview looks at; before `fromMs` nobody looked.'),
});

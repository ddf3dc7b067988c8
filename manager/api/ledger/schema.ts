import { z } from 'zod';
import { ledgerEntrySchema } from '../../../common/model/ledger.ts';
import { epochSchema } from '../../../common/wire/link.ts';

const agentSchema = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const number = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

export const ledgerQuery = z.object({
  agent: agentSchema.optional().describe('Only the epochs of this agent; `manager` and `crawler` have some too.'),
});
export const ledgerParams = z.object({ agent: agentSchema, epoch: epochSchema });
export const ledgerListAnswer = z.array(ledgerEntrySchema);
export const ledgerAnswer = ledgerEntrySchema;

export const fillBody = z
  .strictObject({
    from: number.optional().describe('First number that is asked for; 0 when absent.'),
    to: number.optional().describe('Last number that is asked for; all when absent.'),
  })
  .default({});

export const fillAnswer = z.object({
  filled: number.describe('Lines that were stored now.'),
  stillMissing: number.describe('Numbers of the range that are still missing.'),
  reason: z.string().nullable().describe('Why they are; null when none is.'),
});

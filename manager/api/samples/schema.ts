import { z } from 'zod';
import { sampleSeriesSchema } from '../../../common/model/sample.ts';
import { commaList, moment, wholeNumber } from '../query-values.ts';

const DAY_MS = 86_400_000;

export const sampleQuery = z.object({
  kind: z.enum(['host', 'instance']),
  ids: commaList(z.string().regex(/^[0-9a-f-]{32,36}$/, 'must be ids'), 500)
    .optional()
    .describe('Ids of hosts or UUIDs of instances, separated by commas; all of the kind when absent.'),
  lastMs: wholeNumber({ min: 1_000, max: 31 * DAY_MS })
    .optional()
    .describe('How far back, from now; 15 minutes when absent.'),
  from: moment.optional().describe('The same as a time.'),
  points: wholeNumber({ min: 1, max: 1_000 }).default(60).describe('At most so many points for each.'),
});
export const sampleAnswer = z.array(sampleSeriesSchema);

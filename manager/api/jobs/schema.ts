import { z } from 'zod';
import { uuidSchema } from '../../../common/model/instance.ts';
import { JOB_STATES, jobSchema, opIdSchema } from '../../../common/model/job.ts';
import { moment, wholeNumber } from '../query-values.ts';

export const jobParams = z.object({ id: opIdSchema.describe('Id of the job: the opId of its call.') });

export const jobListQuery = z.object({
  limit: wholeNumber({ min: 1, max: 1_000 }).default(100),
  before: moment
    .optional()
    .describe('Only jobs asked for before this time: for the next page, createdMs of the last one.'),
  instance: uuidSchema.optional(),
  host: z.string().max(255).optional().describe('Id of a host; a move belongs to both of its hosts.'),
  state: z.enum(JOB_STATES).optional(),
});
export const jobListAnswer = z.array(jobSchema);
export const jobAnswer = jobSchema;

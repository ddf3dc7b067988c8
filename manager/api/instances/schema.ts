import { z } from 'zod';
import { actionSchema, INSTANCE_STATES, instanceSchema, uuidSchema } from '../../../common/model/instance.ts';
import { jobSchema, opIdSchema } from '../../../common/model/job.ts';

export const LIMIT_BATCH_INSTANCES = 500;

/** An instance is addressed by its UUID and by nothing else: a name can be the number of another one. */
const id = uuidSchema.describe('UUID of the instance, as libvirt knows it. Names are not taken here.');

export const instanceParams = z.object({ id });

export const instanceListQuery = z.object({
  q: z.string().max(200).optional().describe('Words that must all occur in the name, title, UUID, host name or state.'),
  state: z.enum(INSTANCE_STATES).optional(),
  host: z.string().max(255).optional().describe('Id of a host.'),
});
export const instanceListAnswer = z.array(instanceSchema);
export const instanceAnswer = instanceSchema;

const opId = opIdSchema
  .optional()
  .describe('Your own id of this operation: the same call sent again returns the same job instead of acting twice.');

export const actionBody = z.strictObject({ action: actionSchema, opId });
export const actionAnswer = z.object({ job: jobSchema });

export const batchBody = z.strictObject({
  ids: z.array(id).min(1).max(LIMIT_BATCH_INSTANCES),
  action: actionSchema,
  opId,
});
export const batchAnswer = z.object({
  jobs: z.array(jobSchema),
  /** Instances for which nothing was begun, and why. */
  refused: z.array(z.object({ id: z.string(), err: z.string(), message: z.string() })),
});

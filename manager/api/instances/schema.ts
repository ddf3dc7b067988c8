import { z } from 'zod';
import { actionSchema, INSTANCE_STATES, instanceSchema, uuidSchema } from '../../../common/model/instance.ts';
import { jobSchema, opIdSchema, placementSchema } from '../../../common/model/job.ts';
import { resourceNameSchema } from '../../../common/model/resources.ts';

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

/** Smallest memory of a guest that can boot anything, and more than any host has. */
const memoryBytes = z
  .number()
  .int()
  .min(16 * 1024 * 1024)
  .max(2 ** 46);

export const launchBody = z.strictObject({
  name: z.string().max(255).describe('Small letters, digits, dots, underscores and dashes; new in the whole fleet.'),
  base: resourceNameSchema.describe('Name of a base image.'),
  host: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be the id of a host')
    .optional()
    .describe('Id of a host. When absent: the one with most free memory that has the base and room.'),
  vcpus: z.number().int().min(1).max(1_024),
  memoryBytes: memoryBytes.describe('Rounded up to whole MiB.'),
  diskBytes: z
    .number()
    .int()
    .min(1024 * 1024)
    .max(2 ** 50)
    .optional()
    .describe('Size of the disk as the guest sees it, rounded up to whole MiB; that of the base when absent.'),
  network: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('A network of libvirt or a bridge of the host; none when absent.'),
  autostart: z.boolean().optional(),
  opId,
});
export const launchAnswer = z.object({
  job: jobSchema,
  /** Why there, and why not on the others; kept in the job too. */
  placement: placementSchema,
});

export const deleteQuery = z.object({
  name: z.string().min(1).max(255).describe('The name of the instance, typed: a wrong id must not cost a machine.'),
  force: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('Switches it off first when it runs.'),
  opId,
});

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

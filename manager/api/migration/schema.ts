import { z } from 'zod';
import { uuidSchema } from '../../../common/model/instance.ts';
import { jobSchema, opIdSchema } from '../../../common/model/job.ts';
import { migrationChecksSchema } from '../../../common/model/migration.ts';

export const migrateParams = z.object({
  id: uuidSchema.describe('UUID of the instance, as libvirt knows it. Names are not taken here.'),
});

const target = z.string().min(1).max(255).describe('Id of the host to which it goes.');
const live = z
  .enum(['true', 'false'])
  .optional()
  .transform((text) => (text === undefined ? undefined : text === 'true'))
  .describe('Whether it is to run on while it moves; absent: as its state suggests.');

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');
/** How it is to move: other ways have other checks. */
const how = {
  live,
  tunnelled: flag.describe('Checks a move through the connection of the libvirt daemons.'),
  copyStorage: flag.describe('Checks a move that copies its disks too.'),
};

export const checksQuery = z.object({ target, ...how });
export const checksAnswer = migrationChecksSchema;
export const targetsQuery = z.object(how);
export const targetsAnswer = z.array(migrationChecksSchema);

export const migrateBody = z.strictObject({
  target,
  live: z.boolean().default(true).describe('False moves the definition of an instance that is off.'),
  tunnelled: z
    .boolean()
    .default(false)
    .describe(
      'Sends the memory through the connection of the libvirt daemons: one port and its encryption, but slower.',
    ),
  copyStorage: z
    .boolean()
    .default(false)
    .describe(
      'Copies its disks too, whole, each into the same folder: the target has no file of that name, and its libvirt a ' +
        'storage pool there that is started. The files on the source stay. Absent: the hosts share the storage.',
    ),
  maxDowntimeMs: z
    .number()
    .int()
    .min(1)
    .max(60_000)
    .optional()
    .describe('Longest stop of the guest that is allowed, milliseconds; when less does not do the move is given up.'),
  maxRateBps: z
    .number()
    .int()
    .min(1024 * 1024)
    .max(1e12)
    .optional()
    .describe('Most bytes a second that the move may take of the network, in steps of 1 MiB.'),
  opId: opIdSchema
    .optional()
    .describe('Your own id of this operation: the same call sent again returns the same job instead of acting twice.'),
});
export const migrateAnswer = z.object({ job: jobSchema });

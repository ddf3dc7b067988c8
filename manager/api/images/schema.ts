import { z } from 'zod';
import { jobSchema, opIdSchema } from '../../../common/model/job.ts';
import { baseImageSchema, IMAGE_FORMATS, resourceNameSchema } from '../../../common/model/resources.ts';

const host = z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of a host');
const opId = opIdSchema
  .optional()
  .describe('Your own id of this operation: the same call sent again returns the same job instead of acting twice.');
const file = z.string().min(1).max(512);

export const imageListQuery = z.object({ host: host.optional().describe('Id of a host; all hosts when absent.') });

export const imageListAnswer = z.array(
  baseImageSchema.extend({
    host: z.string(),
    hostName: z.string(),
    /** True while the host does not answer: this is then the last that is known. */
    stale: z.boolean(),
    /** Disks in the pools of the host that are thin clones of it. */
    usedBy: z.number().int(),
  }),
);

export const registerBody = z.strictObject({
  host: host.describe('Id of the host whose pool holds the file.'),
  name: resourceNameSchema.describe('What the image is called on this host.'),
  pool: resourceNameSchema,
  file: file.describe('Path of the file, relative to the pool.'),
  format: z.enum(IMAGE_FORMATS).describe('Its format; never guessed from what the file says.'),
  kernel: file.optional().describe('Kernel for direct boot, relative to the pool; `initrd` and `cmdline` go with it.'),
  initrd: file.optional(),
  cmdline: z
    .string()
    .max(1_024)
    .regex(/^[\x20-\x7e]*$/, 'printable ASCII only')
    .optional()
    .describe('Command line of that kernel. `{name}` and `{uuid}` stand for those of the instance.'),
  opId,
});

export const imageParams = z.object({ host, name: resourceNameSchema });
export const forgetQuery = z.object({ opId });
export const imageJobAnswer = z.object({ job: jobSchema });

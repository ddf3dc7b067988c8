import { z } from 'zod';
import { resourceNameSchema } from '../../../common/model/resources.ts';
import { instanceNameFault } from '../../../common/pure/instance-name.ts';

const MEBIBYTE = 1024 * 1024;

/** What a launch is told. The UUID is the instance of the command; sizes in bytes. */
export const launchArgs = z.strictObject({
  name: z.string().superRefine((name, context) => {
    const fault = instanceNameFault(name);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  }),
  base: resourceNameSchema,
  vcpus: z.number().int().min(1).max(1_024),
  /** Whole mebibytes: libvirt would round anything else. */
  memoryBytes: z
    .number()
    .int()
    .min(16 * MEBIBYTE)
    .max(64 * 1024 * 1024 * MEBIBYTE)
    .multipleOf(MEBIBYTE, 'whole MiB'),
  /** Size that the guest sees; that of the base when absent. Whole sectors. */
  diskBytes: z
    .number()
    .int()
    .min(MEBIBYTE)
    .max(2 ** 50)
    .multipleOf(512, 'whole sectors of 512 bytes')
    .optional(),
  /** A network of libvirt, or a bridge of the host. */
  network: z.string().min(1).max(255).optional(),
  autostart: z.boolean().default(false),
});
export type LaunchArgs = z.output<typeof launchArgs>;

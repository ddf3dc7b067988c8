import { z } from 'zod';
import { SCAN_KINDS, scanSchema } from '../../../common/model/discovery.ts';

export const scanParams = z.object({ id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/) });
export const scanListAnswer = z.array(scanSchema);
export const scanAnswer = scanSchema;

export const scanBody = z
  .strictObject({
    range: z
      .string()
      .trim()
      .max(64)
      .optional()
      .describe(
        'IPv4 range inside a configured one, such as 10.77.0.0/24; every configured range when absent or empty.',
      ),
    kind: z
      .enum(SCAN_KINDS)
      .default('whole')
      .describe(
        'whole: every address; silent: those that answered nothing so far; no-agent: hosts that are up without an agent; ' +
          'known: agents that are known.',
      ),
  })
  .default({ kind: 'whole' });

export const scanStartedAnswer = z.object({
  scan: scanSchema,
  scans: z.array(scanSchema).describe('One per range, when no range was named.'),
});

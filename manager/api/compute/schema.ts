import { z } from 'zod';
import {
  computeServerSchema,
  kernelNameSchema,
  numberedEventSchema,
  sessionSchema,
} from '../../../common/model/compute.ts';
import { opIdSchema } from '../../../common/model/job.ts';
import { channelIdSchema } from '../../../common/wire/services.ts';
import { wholeNumber } from '../query-values.ts';

const LIMIT_CODE_CHARS = 768 * 1024;
/** The same code can be written longer: every letter as an escape. */
export const LIMIT_CODE_BODY_BYTES = 1024 * 1024;

export const serverListAnswer = z.array(
  computeServerSchema.extend({
    host: z.string(),
    hostName: z.string(),
    /** The host does not answer now: this is what it told last. */
    stale: z.boolean(),
  }),
);

export const sessionParams = z.object({ id: channelIdSchema.describe('Id of a session.') });
export const sessionAnswer = sessionSchema;
export const sessionListAnswer = z.array(sessionSchema);

const code = z.string().max(LIMIT_CODE_CHARS);
const opId = opIdSchema
  .optional()
  .describe('An id of your own: the same call with the same opId is done once, and answered as the first time.');
const host = z
  .string()
  .min(1)
  .max(255)
  .optional()
  .describe('Id or name of a host. Absent: the least loaded one that has the kernel and room.');

export const openBody = z.object({ kernel: kernelNameSchema, host, title: z.string().max(128).optional(), opId });
const cellNumber = z.number().int().positive().optional();
export const cellBody = z.object({
  code,
  replaces: cellNumber.describe('The cell in whose place this one is shown: it was run again.'),
  after: cellNumber.describe('The cell below which this one is shown; absent: below the last.'),
  opId,
});
export const cellAnswer = z.object({ cell: z.number().int() });
export const interruptAnswer = z.object({});

export const outputQuery = z.object({
  from: wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER }).default(0).describe('Number of the first event.'),
  limit: wholeNumber({ min: 1, max: 10_000 }).default(1_000),
});
export const outputAnswer = z.object({
  events: z.array(numberedEventSchema),
  /** `from` of the next call. */
  next: z.number().int(),
  /** The session has ended, and this is the last of it. */
  end: z.boolean(),
});

export const runBody = z.object({
  code,
  kernel: kernelNameSchema,
  host,
  timeoutMs: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(60_000)
    .describe('How long to wait for the result; then the answer is `running` and the computation goes on.'),
  keep: z.boolean().default(false).describe('Keep the session for further cells instead of ending it with this one.'),
  opId,
});
export const runAnswer = z.object({
  session: z.string(),
  cell: z.number().int(),
  status: z.enum(['ok', 'error', 'interrupted', 'died', 'running']),
  elapsedMs: z.number(),
  events: z.array(numberedEventSchema),
});

export const attachSchema = z.object({ session: channelIdSchema, from: z.number().int().nonnegative() });
export const detachSchema = z.object({ session: channelIdSchema });
export const completeSchema = z.object({
  session: channelIdSchema,
  code: z.string().max(64 * 1024),
  cursor: z.number().int().nonnegative(),
});

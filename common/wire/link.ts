import { z } from 'zod';
import { hostFactsSchema, hostLoadSchema } from '../model/host.ts';
import { agentInstanceSchema, instanceSampleSchema, uuidSchema } from '../model/instance.ts';
import { jobDetailSchema, jobErrorSchema, opIdSchema } from '../model/job.ts';
import { gapSchema } from '../model/line.ts';
import { agentServiceMessages, managerServiceMessages } from './services.ts';

/**
 * The link: one WebSocket that the manager opens to `wss://<agent>/v1/link`, mTLS on both sides.
 * Text messages are the JSON below. Binary messages are lines: see `frames.ts`.
 */
export const LINK_VERSION = 1;
export const LINK_PATH = '/v1/link';

export const epochSchema = z.string().regex(/^[0-9a-f]{16}$/);
export const hashSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** What one epoch of the spool still holds: numbers `first..next-1`. */
export const epochRangeSchema = z.object({ epoch: epochSchema, first: z.number().int(), next: z.number().int() });
export type EpochRange = z.infer<typeof epochRangeSchema>;

/** How far the store has committed an epoch: `next` is the first number it lacks, `hash` the running hash before it. */
export const epochCursorSchema = z.object({ epoch: epochSchema, next: z.number().int(), hash: hashSchema });
export type EpochCursor = z.infer<typeof epochCursorSchema>;

export const EMPTY_HASH = '0'.repeat(32);

/** Progress or outcome of a command, as the agent's journal has it. `final` outcomes are repeated until acked. */
export const jobReportSchema = z.object({
  opId: opIdSchema,
  verb: z.string(),
  instance: z.string().nullable(),
  state: z.enum(['running', 'done', 'failed', 'cancelled', 'unknown']),
  final: z.boolean(),
  progress: z.number().min(0).max(1).nullable(),
  detail: jobDetailSchema.optional(),
  startedMs: z.number().nullable(),
  endedMs: z.number().nullable(),
  error: jobErrorSchema.nullable(),
  result: z.record(z.string(), z.unknown()).nullable(),
});
export type JobReport = z.infer<typeof jobReportSchema>;

export const agentMessageSchema = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('hello'),
    v: z.literal(LINK_VERSION),
    version: z.string().max(64),
    clockMs: z.number(),
    host: hostFactsSchema,
    /** Oldest first; the last one is the current epoch. */
    epochs: z.array(epochRangeSchema).max(64),
  }),
  z.object({
    t: z.literal('host'),
    host: hostFactsSchema,
    load: hostLoadSchema.nullable(),
    clockMs: z.number(),
    spoolLines: z.number().int(),
  }),
  /** All instances of the host: what is not in the list is gone. */
  z.object({ t: z.literal('instances'), list: z.array(agentInstanceSchema).max(20_000) }),
  z.object({ t: z.literal('instance'), instance: agentInstanceSchema }),
  z.object({ t: z.literal('instance-gone'), id: uuidSchema }),
  z.object({ t: z.literal('samples'), tsMs: z.number(), list: z.array(instanceSampleSchema).max(20_000) }),
  z.object({ t: z.literal('job'), job: jobReportSchema }),
  z.object({ t: z.literal('pong'), id: z.number() }),
  ...agentServiceMessages,
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;

export const commandSchema = z.object({
  opId: opIdSchema,
  verb: z.string().max(32),
  /** The instance is always addressed by its UUID; of one that is to be made, the manager chose it. */
  instance: uuidSchema.nullable(),
  args: z.record(z.string(), z.unknown()),
  actor: z.string().max(255),
  /** Fencing token of the instance; an agent that has seen a higher one refuses. */
  fence: z.number().int().nonnegative(),
  expiresMs: z.number(),
});
export type Command = z.infer<typeof commandSchema>;

export const managerMessageSchema = z.discriminatedUnion('t', [
  z.object({ t: z.literal('resume'), cursors: z.array(epochCursorSchema) }),
  z.object({ t: z.literal('ack'), epoch: epochSchema, next: z.number().int(), hash: hashSchema }),
  /** The store cannot take lines now; send again from the cursor after `retryMs`. */
  z.object({ t: z.literal('nack'), epoch: epochSchema, reason: z.string(), retryMs: z.number() }),
  /** The agent must start a new epoch: its numbers went back (restored from a snapshot). */
  z.object({ t: z.literal('new-epoch'), reason: z.string() }),
  z.object({ t: z.literal('command'), command: commandSchema }),
  z.object({ t: z.literal('cancel'), opId: opIdSchema }),
  z.object({ t: z.literal('job-ack'), opId: opIdSchema }),
  z.object({ t: z.literal('ping'), id: z.number() }),
  ...managerServiceMessages,
]);
export type ManagerMessage = z.infer<typeof managerMessageSchema>;

/** Header of one frame of lines. A frame is immutable once spooled, so a replay is byte-identical. */
export const frameHeaderSchema = z.object({
  epoch: epochSchema,
  first: z.number().int().nonnegative(),
  count: z.number().int().positive(),
  /** Running hash before and after: `hash = sha256(prev + body)`, first 32 hex digits. */
  prev: hashSchema,
  hash: hashSchema,
  /** Length of the body in bytes; 0 for a gap. */
  bytes: z.number().int().nonnegative(),
  /** Present when the numbers were lost by policy: there is no body. */
  gap: gapSchema.optional(),
});
export type FrameHeader = z.infer<typeof frameHeaderSchema>;

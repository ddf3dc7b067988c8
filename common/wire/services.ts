import { z } from 'zod';
import { computeServerSchema, kernelNameSchema, outputEventSchema } from '../model/compute.ts';
import { uuidSchema } from '../model/instance.ts';
import { opIdSchema } from '../model/job.ts';
import { hostResourcesSchema } from '../model/resources.ts';

/**
 * Messages of the services that share the link: questions, serial consoles, computations, scopes of jobs.
 * Each service takes its own messages on both ends (`node-agent/serve/services.ts`, `manager/links/services.ts`).
 */

/** Names an open console or session; chosen by the manager. */
export const channelIdSchema = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);

/** A read that is answered at once and journalled nowhere. */
export const QUESTIONS = ['look', 'migration-facts', 'console-open', 'lines'] as const;
export type Question = (typeof QUESTIONS)[number];

export const computeRequestSchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('open'), kernel: kernelNameSchema, owner: z.string().max(255) }),
  z.object({ op: z.literal('execute'), cell: z.number().int().positive(), code: z.string().max(1024 * 1024) }),
  /** Ends the running cell; cells that wait are dropped. */
  z.object({ op: z.literal('interrupt') }),
  z.object({ op: z.literal('terminate'), reason: z.string().max(255) }),
  z.object({
    op: z.literal('complete'),
    ask: z.number().int(),
    code: z.string().max(64 * 1024),
    cursor: z.number().int(),
  }),
]);
export type ComputeRequest = z.infer<typeof computeRequestSchema>;

/** An event on its way: `n` counts from 0 per session at the agent; the manager acks what it has committed. */
export const sentEventSchema = z.object({
  n: z.number().int().nonnegative(),
  tsMs: z.number(),
  event: outputEventSchema,
});
export type SentEvent = z.infer<typeof sentEventSchema>;

export const agentServiceMessages = [
  z.object({ t: z.literal('resources'), resources: hostResourcesSchema }),
  z.object({
    t: z.literal('answer'),
    id: z.number().int(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    data: z.unknown(),
  }),
  /** Bytes of a serial console, base64. `skipped` bytes before them were dropped: the guest said more than could be sent. */
  z.object({
    t: z.literal('console-data'),
    id: channelIdSchema,
    data: z.string().max(1_500_000),
    skipped: z.number().int().nonnegative().optional(),
  }),
  /** `code` is of the catalogue where it was an error rather than an end. */
  z.object({
    t: z.literal('console-end'),
    id: channelIdSchema,
    reason: z.string().max(512),
    code: z.string().max(64).optional(),
  }),
  z.object({ t: z.literal('compute-server'), server: computeServerSchema }),
  /** Sessions that live on this host, sent at each new link: what is not in it has died. */
  z.object({
    t: z.literal('compute-sessions'),
    list: z
      .array(
        z.object({
          session: channelIdSchema,
          next: z.number().int(),
          /** Number of the last cell that came through: later ones were lost with the link and never ran. */
          cells: z.number().int().nonnegative().optional(),
        }),
      )
      .max(4096),
  }),
  /** Answers `open`; told again at each new link. With an error nothing was opened, and nothing of it ran. */
  z.object({
    t: z.literal('compute-opened'),
    session: channelIdSchema,
    error: z.object({ code: z.string().max(64), message: z.string().max(1024) }).nullable(),
  }),
  z.object({ t: z.literal('compute-events'), session: channelIdSchema, events: z.array(sentEventSchema).max(1024) }),
  z.object({
    t: z.literal('compute-use'),
    list: z.array(z.object({ session: channelIdSchema, memoryBytes: z.number(), cpuMs: z.number() })).max(4096),
  }),
  z.object({
    t: z.literal('compute-completed'),
    session: channelIdSchema,
    ask: z.number().int(),
    matches: z.array(z.string().max(512)).max(500),
    start: z.number().int(),
    end: z.number().int(),
  }),
] as const;

export const managerServiceMessages = [
  z.object({
    t: z.literal('ask'),
    id: z.number().int(),
    what: z.enum(QUESTIONS),
    args: z.record(z.string(), z.unknown()),
  }),
  /** Keys, as UTF-8 text. */
  z.object({ t: z.literal('console-input'), id: channelIdSchema, data: z.string().max(100_000) }),
  /** So many bytes of this console have come so far: the agent sends no more than a window ahead of it. */
  z.object({ t: z.literal('console-ack'), id: channelIdSchema, bytes: z.number().int().nonnegative() }),
  z.object({ t: z.literal('console-close'), id: channelIdSchema }),
  z.object({ t: z.literal('compute'), session: channelIdSchema, request: computeRequestSchema }),
  /** Events before `next` are committed; the agent may forget them. */
  z.object({ t: z.literal('compute-ack'), session: channelIdSchema, next: z.number().int() }),
  /** While open, every line of this host about the instance carries the job (the other side of a migration). */
  z.object({
    t: z.literal('scope'),
    opId: opIdSchema,
    instance: uuidSchema,
    name: z.string().max(255),
    open: z.boolean(),
  }),
] as const;

export const agentServiceSchema = z.discriminatedUnion('t', agentServiceMessages);
export type AgentServiceMessage = z.infer<typeof agentServiceSchema>;
export const managerServiceSchema = z.discriminatedUnion('t', managerServiceMessages);
export type ManagerServiceMessage = z.infer<typeof managerServiceSchema>;

const KINDS = new Set<string>([...agentServiceMessages, ...managerServiceMessages].map(({ shape }) => shape.t.value));

/** True for a message of a service, from either end. */
export function isServiceMessage<M extends { t: string }>(
  message: M,
): message is Extract<M, AgentServiceMessage | ManagerServiceMessage> {
  return KINDS.has(message.t);
}

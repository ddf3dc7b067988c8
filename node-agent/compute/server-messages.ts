import { z } from 'zod';
import { type ComputeServer, computeServerSchema, outputEventSchema } from '../../common/model/compute.ts';
import { type ComputeRequest, channelIdSchema } from '../../common/wire/services.ts';

/** What the compute server says on its socket; unknown fields are dropped. */
export const serverMessageSchema = z.discriminatedUnion('t', [
  z.object({ t: z.literal('server'), server: computeServerSchema }),
  z.object({ t: z.literal('opened'), session: channelIdSchema }),
  z.object({ t: z.literal('refused'), session: channelIdSchema, code: z.string().max(64), message: z.string() }),
  z.object({ t: z.literal('event'), session: channelIdSchema, tsMs: z.number(), event: outputEventSchema }),
  z.object({
    t: z.literal('completed'),
    session: channelIdSchema,
    ask: z.number().int(),
    matches: z.array(z.string()),
    start: z.number().int(),
    end: z.number().int(),
  }),
  z.object({
    t: z.literal('use'),
    list: z.array(z.object({ session: channelIdSchema, memoryBytes: z.number(), cpuMs: z.number() })),
  }),
  z.object({ t: z.literal('pong'), id: z.number() }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

/** What the agent says to it. */
export type ServerRequest =
  | { op: 'hello'; v: 1 }
  | { op: 'ping'; id: number }
  | { op: 'open'; session: string; kernel: string }
  | (Exclude<ComputeRequest, { op: 'open' }> & { session: string });

/** What is told of a host on which no compute server answers. */
export function absentServer(reason: string): ComputeServer {
  return { state: 'absent', reason: reason.slice(0, 1024), kernels: [], checks: [], limits: null, sessions: 0 };
}

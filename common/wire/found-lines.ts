import { z } from 'zod';
import { epochSchema, frameHeaderSchema } from './link.ts';

/** About so many bytes of bodies are in one answer; a single frame that is larger comes alone. */
export const LIMIT_FOUND_BYTES = 512 * 1024;

const number = z.number().int().nonnegative();

/** Arguments of the question `lines`: numbers `from..to` of an epoch, both included. */
export const findLinesSchema = z.object({ epoch: epochSchema, from: number, to: number });

/** Its answer: whole frames with some of these numbers, in order, their bodies in base64. Empty: the agent has none. */
export const foundLinesSchema = z.object({
  frames: z.array(z.object({ header: frameHeaderSchema, body: z.string() })).max(10_000),
});

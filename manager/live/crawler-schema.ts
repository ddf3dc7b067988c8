import { z } from 'zod';
import { findingSchema, scanSchema } from '../../common/model/discovery.ts';
import { epochRangeSchema, frameHeaderSchema } from '../../common/wire/link.ts';

/** What the crawler may send, with every length bounded: it has read words of strangers. */
const MAX_LIST = 500;
const count = z.number().int().nonnegative();
const scanId = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const address = z.ipv4();
const port = z.number().int().min(1).max(65_535);

export const readySchema = z.object({
  version: z.string().max(64),
  ranges: z.array(z.string().max(64)).max(64),
  epochs: z.array(epochRangeSchema).max(64).default([]),
});
export const crawlerScanSchema = scanSchema.extend({
  id: scanId,
  range: z.string().max(64),
  actor: z.string().max(255),
  addresses: count,
  scanned: count,
  up: count,
  agents: count,
  error: z.string().max(512).nullable(),
});
export const findingsSchema = z.object({
  scanId,
  list: z.array(findingSchema.extend({ address, port })).max(MAX_LIST),
});
export const vanishedSchema = z.object({ scanId, list: z.array(z.object({ address, port })).max(1_000) });
export const linesSchema = z.object({
  header: frameHeaderSchema,
  body: z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes'),
});

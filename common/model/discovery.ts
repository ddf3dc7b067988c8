import { z } from 'zod';

export const SCAN_KINDS = ['whole', 'silent', 'no-agent', 'known'] as const;
export type ScanKind = (typeof SCAN_KINDS)[number];

export const CANDIDATE_STATES = ['unenrolled', 'enrolled-here', 'enrolled-elsewhere', 'not-an-agent'] as const;

/**
 * What a scan found at one address. `id` is computed from the public key that the TLS handshake proved, never from
 * words of the other side. Nothing here is trusted: it is shown, and an admin decides.
 */
export const findingSchema = z.object({
  address: z.string().max(45),
  port: z.number().int(),
  id: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .nullable(),
  state: z.enum(CANDIDATE_STATES),
  product: z.string().max(64).nullable(),
  version: z.string().max(64).nullable(),
  /** Host name as claimed by the agent; shown as a claim. */
  claimedName: z.string().max(255).nullable(),
  detail: z.string().max(255).nullable(),
});
export type Finding = z.infer<typeof findingSchema>;

/** A finding kept in the manager's inbox. */
export const candidateSchema = findingSchema.extend({
  id: z.string(),
  firstSeenMs: z.number(),
  lastSeenMs: z.number(),
  vanished: z.boolean(),
});
export type Candidate = z.infer<typeof candidateSchema>;

export const scanSchema = z.object({
  id: z.string(),
  kind: z.enum(SCAN_KINDS),
  range: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed']),
  /** Who asked: an e-mail address, or `schedule`. */
  actor: z.string(),
  startedMs: z.number().nullable(),
  endedMs: z.number().nullable(),
  addresses: z.number().int(),
  scanned: z.number().int(),
  up: z.number().int(),
  agents: z.number().int(),
  error: z.string().nullable(),
});
export type Scan = z.infer<typeof scanSchema>;

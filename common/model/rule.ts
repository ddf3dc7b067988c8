import { z } from 'zod';
import { lineQuerySchema } from './search.ts';

/** What makes a rule fire: at least `count` lines within `withinMs`, or none for so long. */
export const ruleConditionSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('lines'),
    count: z.number().int().min(1).max(1_000_000),
    withinMs: z.number().int().min(1_000).max(86_400_000),
  }),
  z.object({
    kind: z.literal('silence'),
    withinMs: z
      .number()
      .int()
      .min(5_000)
      .max(7 * 86_400_000),
  }),
]);
export type RuleCondition = z.infer<typeof ruleConditionSchema>;

export const ruleDraftSchema = z.object({
  name: z.string().trim().min(1).max(100),
  enabled: z.boolean().default(true),
  query: lineQuerySchema,
  condition: ruleConditionSchema,
  /** Counted apart for each value of this: `host`, `instance`, or the name of a field; null: all lines together. */
  groupBy: z.string().max(64).nullable().default(null),
  /** After it has fired for a group it does not fire for it again for so long. */
  quietMs: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400_000)
    .default(600_000),
  severity: z.enum(['info', 'warning', 'critical']).default('warning'),
  /** Ids of destinations that are told. */
  destinations: z.array(z.string().max(64)).max(20).default([]),
  /** They are told as well when it is over. */
  tellEnd: z.boolean().default(false),
});
export type RuleDraft = z.infer<typeof ruleDraftSchema>;

/** One group of a rule that fires now. `group` is null when the rule does not group. */
export const firingSchema = z.object({
  group: z.string().nullable(),
  sinceMs: z.number(),
  count: z.number().int(),
  /** The newest line that counted; null for silence. */
  line: z.string().nullable(),
});
export type Firing = z.infer<typeof firingSchema>;

export const ruleSchema = ruleDraftSchema.extend({
  id: z.string(),
  owner: z.string(),
  createdMs: z.number(),
  changedMs: z.number(),
  state: z.enum(['ok', 'firing', 'off']),
  firing: z.array(firingSchema).max(1_000),
  lastFiredMs: z.number().nullable(),
  /** Until then nobody is told what it does; null: it is not muted. */
  mutedUntilMs: z.number().nullable().default(null),
  /** More groups than can be counted apart: so many lines were counted together instead, under `(others)`. */
  overflow: z.number().int().default(0),
});
export type Rule = z.infer<typeof ruleSchema>;

/** One thing that happened to a rule. Newest first in lists. */
export const ruleEventSchema = z.object({
  id: z.string(),
  rule: z.string(),
  ruleName: z.string(),
  what: z.enum(['fired', 'ended', 'held-quiet']),
  group: z.string().nullable(),
  tsMs: z.number(),
  count: z.number().int(),
  line: z.string().nullable(),
  /** What the line said, cut; null for silence. */
  message: z.string().nullable(),
});
export type RuleEvent = z.infer<typeof ruleEventSchema>;

/** Where people are told. Secrets go in and never come out: `secretSet` says that there is one. */
export const destinationDraftSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('email'),
    name: z.string().trim().min(1).max(100),
    to: z.array(z.email().max(254)).min(1).max(50),
    together: z.boolean().optional(),
  }),
  z.object({
    kind: z.literal('webhook'),
    name: z.string().trim().min(1).max(100),
    url: z.url().max(2_000),
    /** Body with `{{rule.name}}`-like places; empty: the whole event as JSON. */
    template: z.string().max(16_384).default(''),
    /** Key of the HMAC-SHA-256 in `webvirt-signature`. */
    secret: z.string().max(256).optional(),
    together: z.boolean().optional(),
  }),
  z.object({
    kind: z.literal('chat'),
    name: z.string().trim().min(1).max(100),
    url: z.url().max(2_000),
    together: z.boolean().optional(),
  }),
]);
export type DestinationDraft = z.infer<typeof destinationDraftSchema>;

export const destinationSchema = z.object({
  id: z.string(),
  kind: z.enum(['email', 'webhook', 'chat']),
  name: z.string(),
  /** Addresses of an e-mail. */
  to: z.array(z.string()),
  /** Address of a hook, without what may be secret in it: origin and a cut path. */
  url: z.string().nullable(),
  template: z.string(),
  secretSet: z.boolean(),
  /** What happens within a few seconds comes as one message; false: each event apart. */
  together: z.boolean().default(true),
  owner: z.string(),
  createdMs: z.number(),
});
export type Destination = z.infer<typeof destinationSchema>;

/** One message to one destination. `waiting` ones are tried again, later and later. */
export const deliverySchema = z.object({
  id: z.string(),
  rule: z.string(),
  ruleName: z.string(),
  event: z.string(),
  /** So many events are told in it, of this rule and of so many others. */
  events: z.number().int().default(1),
  otherRules: z.number().int().default(0),
  destination: z.string(),
  destinationName: z.string(),
  state: z.enum(['waiting', 'sent', 'failed']),
  tries: z.number().int(),
  createdMs: z.number(),
  endedMs: z.number().nullable(),
  nextTryMs: z.number().nullable(),
  /** Why the last try failed. */
  error: z.string().nullable(),
});
export type Delivery = z.infer<typeof deliverySchema>;

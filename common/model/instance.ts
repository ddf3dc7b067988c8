import { z } from 'zod';
import { ACTIONS, INSTANCE_STATES } from './words.ts';

export type { Action, InstanceState } from './words.ts';
export { ACTIONS, ACTIONS_BY_STATE, DESTRUCTIVE_ACTIONS, INSTANCE_STATES } from './words.ts';

export const actionSchema = z.enum(ACTIONS);

export const uuidSchema = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);

export const diskSchema = z.object({
  target: z.string(),
  source: z.string().optional(),
  device: z.string(),
  format: z.string().optional(),
});
export const nicSchema = z.object({
  mac: z.string().optional(),
  type: z.string(),
  source: z.string().optional(),
  model: z.string().optional(),
});

/** An instance as its agent reports it, whole. `id` is libvirt's UUID. */
export const agentInstanceSchema = z.object({
  id: uuidSchema,
  name: z.string(),
  state: z.enum(INSTANCE_STATES),
  /** libvirt's own word for why it is in this state, such as `booted`, `destroyed`, `crashed`. */
  stateReason: z.string().optional(),
  vcpus: z.number().int().nonnegative(),
  memoryBytes: z.number().nonnegative(),
  autostart: z.boolean(),
  persistent: z.boolean(),
  title: z.string().optional(),
  disks: z.array(diskSchema).optional(),
  nics: z.array(nicSchema).optional(),
});
export type AgentInstance = z.infer<typeof agentInstanceSchema>;

/** One sample of an instance. `cpuRatio` is of all its vCPUs (0..1); rates are per second. */
export const instanceSampleSchema = z.object({
  id: uuidSchema,
  cpuRatio: z.number().nonnegative(),
  memoryUsedBytes: z.number().nonnegative(),
  diskReadBps: z.number().nonnegative().optional(),
  diskWriteBps: z.number().nonnegative().optional(),
  netRxBps: z.number().nonnegative().optional(),
  netTxBps: z.number().nonnegative().optional(),
});
export type InstanceSample = z.infer<typeof instanceSampleSchema>;

/** An instance as the manager presents it. `host` is the host's id. */
export const instanceSchema = agentInstanceSchema.extend({
  host: z.string(),
  hostName: z.string(),
  hostState: z.string(),
  /** True while the host does not answer: `state` is then the last one known. */
  stale: z.boolean(),
  changedMs: z.number(),
  load: instanceSampleSchema.omit({ id: true }).extend({ tsMs: z.number() }).nullable(),
  /** The job that holds the instance now, if any. */
  busyJob: z.string().nullable(),
});
export type Instance = z.infer<typeof instanceSchema>;

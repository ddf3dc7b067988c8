import { z } from 'zod';
import { HOST_STATES } from './words.ts';

export { HOST_STATES } from './words.ts';

/** What an agent knows of its host without asking every QEMU. */
export const hostFactsSchema = z.object({
  name: z.string().max(255),
  hostUuid: z.string().max(64).optional(),
  os: z.string().max(255).optional(),
  kernel: z.string().max(255).optional(),
  cpus: z.number().int().nonnegative(),
  memoryBytes: z.number().nonnegative(),
  bootMs: z.number().optional(),
  /** libvirt's connection: `driver` is `qemu`, `test` (no daemon was reachable) or `none` (no virsh at all). */
  hypervisor: z.object({
    driver: z.string().max(32),
    uri: z.string().max(255),
    version: z.string().max(64).optional(),
    libvirtVersion: z.string().max(64).optional(),
  }),
  /** Why the host can do less than a whole host, in words for people; absent when all is well. */
  limited: z.string().max(512).optional(),
  /** False while libvirt does not answer (frozen or down); the last known state is kept meanwhile. */
  libvirtAnswers: z.boolean(),
});
export type HostFacts = z.infer<typeof hostFactsSchema>;

export const hostLoadSchema = z.object({
  tsMs: z.number(),
  cpuRatio: z.number().nonnegative(),
  load1: z.number().nonnegative(),
  memoryUsedBytes: z.number().nonnegative(),
});
export type HostLoad = z.infer<typeof hostLoadSchema>;

/** A host as the manager presents it. `id` is the id of its agent. `seenMs` is the manager's own clock. */
export const hostSchema = hostFactsSchema.omit({ hypervisor: true }).extend({
  id: z.string(),
  address: z.string(),
  port: z.number().int(),
  state: z.enum(HOST_STATES),
  agentVersion: z.string(),
  hypervisor: z.string(),
  hypervisorVersion: z.string().optional(),
  libvirtUri: z.string(),
  seenMs: z.number(),
  stateSinceMs: z.number(),
  /** Manager's clock minus agent's clock at the last hello or sample, milliseconds. */
  clockOffsetMs: z.number(),
  load: hostLoadSchema.nullable(),
  instanceCount: z.number().int(),
  runningCount: z.number().int(),
  /** Lines that still wait in the agent's spool, as it last said. */
  spoolLines: z.number().int(),
});
export type Host = z.infer<typeof hostSchema>;

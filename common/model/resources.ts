import { z } from 'zod';
import { IMAGE_FORMATS, RESOURCE_NAME } from './words.ts';

export { IMAGE_FORMATS } from './words.ts';

/** Name of a base image or a pool on a host: as strict as names of instances, for they become part of paths. */
export const resourceNameSchema = z.string().regex(RESOURCE_NAME, 'small letters, digits, . _ and -');

/** A folder of a host in which disks of instances and base images may lie; nothing outside of pools is ever touched. */
export const poolSchema = z.object({
  name: resourceNameSchema,
  path: z.string().max(1024),
  totalBytes: z.number().nonnegative(),
  freeBytes: z.number().nonnegative(),
  /** True where the file system says that other hosts see it too: a guest can migrate with its disk in place. */
  shared: z.boolean(),
  /** Why it cannot be used now, in words for people. */
  fault: z.string().max(512).optional(),
});
export type Pool = z.infer<typeof poolSchema>;

/** A disk image that new instances are thin clones of. It is never written to. */
export const baseImageSchema = z.object({
  name: resourceNameSchema,
  pool: resourceNameSchema,
  /** Absolute, real path: inside the pool. */
  path: z.string().max(1024),
  format: z.enum(IMAGE_FORMATS),
  /** Size the guest sees, and bytes that the file takes. */
  virtualBytes: z.number().nonnegative(),
  fileBytes: z.number().nonnegative(),
  /** The domain needs these besides its disk (direct kernel boot); both lie in a pool too. */
  kernel: z.string().max(1024).optional(),
  initrd: z.string().max(1024).optional(),
  cmdline: z.string().max(1024).optional(),
  registeredMs: z.number(),
  /** Disks of the pools that are thin clones of it, as far as this host sees. */
  clones: z.number().int().nonnegative().optional(),
  /** Why no instance can be made of it now (the file is gone or changed). */
  fault: z.string().max(512).optional(),
});
export type BaseImage = z.infer<typeof baseImageSchema>;

/** A network of libvirt or a bridge of the host that an instance may be connected to. */
export const hostNetworkSchema = z.object({
  name: z.string().max(255),
  kind: z.enum(['network', 'bridge']),
  active: z.boolean(),
});

/** What a host has for instances. Read when it changes and every few seconds; sent whole. */
export const hostResourcesSchema = z.object({
  pools: z.array(poolSchema).max(256),
  images: z.array(baseImageSchema).max(4096),
  networks: z.array(hostNetworkSchema).max(4096),
  /** What libvirt can run here: `kvm` only where a guest is known to start with it. */
  domainType: z.enum(['kvm', 'qemu']).nullable(),
  cpuModel: z.string().max(255).optional(),
  arch: z.string().max(64).optional(),
  /** Memory that could be given to a new instance now, bytes. */
  memoryAvailableBytes: z.number().nonnegative(),
});
export type HostResources = z.infer<typeof hostResourcesSchema>;

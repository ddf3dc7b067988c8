import { z } from 'zod';
import { INSTANCE_STATES, uuidSchema } from '../model/instance.ts';

/** How far libvirt's own job on an instance is, as `domjobinfo` tells. Times in milliseconds, sizes in bytes. */
export const libvirtJobSchema = z.object({
  elapsedMs: z.number().nonnegative(),
  totalBytes: z.number().nonnegative(),
  processedBytes: z.number().nonnegative(),
  remainingBytes: z.number().nonnegative(),
  rateBps: z.number().nonnegative(),
  dirtyRateBps: z.number().nonnegative(),
  rounds: z.number().int().nonnegative(),
  /** While it runs: what the hand-over would take; afterwards: what it took. Null where libvirt does not say. */
  downtimeMs: z.number().nonnegative().nullable(),
});
export type LibvirtJob = z.infer<typeof libvirtJobSchema>;

/** Answer to `look`: one instance as libvirt has it now. `state` null: it is not on this host. */
export const lookSchema = z.object({
  state: z.enum(INSTANCE_STATES).nullable(),
  reason: z.string().nullable(),
  persistent: z.boolean(),
  autostart: z.boolean(),
  /** libvirt works on it: what is seen will change by itself. */
  busy: z.boolean(),
  /** The last migration, as the host where it ended knows it. */
  completed: libvirtJobSchema.nullable(),
});
export type Look = z.infer<typeof lookSchema>;

/** A file that an instance needs on the host where it runs. */
export const neededFileSchema = z.object({
  path: z.string().max(1024),
  /** `disk` is written to; `cdrom` and `boot` are only read. */
  kind: z.enum(['disk', 'cdrom', 'boot']),
  block: z.boolean(),
  writable: z.boolean(),
});
export type NeededFile = z.infer<typeof neededFileSchema>;

export const needsSchema = z.object({
  name: z.string().max(255),
  /** libvirt's word for how it runs: `kvm` or `qemu`. */
  domainType: z.string().max(32),
  arch: z.string().max(32),
  machine: z.string().max(64),
  emulator: z.string().max(1024).nullable(),
  cpu: z.object({ mode: z.string().max(32), model: z.string().max(128).nullable() }),
  memoryBytes: z.number().nonnegative(),
  vcpus: z.number().int().nonnegative(),
  files: z.array(neededFileSchema).max(256),
  /** Disks that are not files or block devices of the host (network storage): libvirt reaches them itself. */
  remoteDisks: z.number().int().nonnegative(),
  networks: z.array(z.object({ kind: z.enum(['network', 'bridge', 'other']), name: z.string().max(255) })).max(64),
  /** What ties it to this host, in words: passed-through devices, host folders. */
  ties: z.array(z.string().max(255)).max(64),
});
export type Needs = z.infer<typeof needsSchema>;

export const fileFactsSchema = z.object({
  path: z.string(),
  there: z.boolean(),
  readable: z.boolean(),
  inode: z.number(),
  sizeBytes: z.number(),
  fileSystem: z.string().max(64),
  /** The file system is one that several hosts share. */
  shared: z.boolean(),
  /** Hash of its first bytes; null where they could not be read. */
  head: z.string().max(64).nullable(),
});
export type FileFacts = z.infer<typeof fileFactsSchema>;

export const cpuFactsSchema = z.object({
  arch: z.string().max(32),
  vendor: z.string().max(64),
  model: z.string().max(128),
  features: z.array(z.string().max(64)).max(1024),
});
export type CpuFacts = z.infer<typeof cpuFactsSchema>;

/** Answer to `migration-facts {side: "source", instance}`. */
export const sourceFactsSchema = z.object({
  look: lookSchema,
  needs: needsSchema,
  files: z.array(fileFactsSchema).max(256),
  cpu: cpuFactsSchema.nullable(),
  hostUuid: z.string().max(64).nullable(),
});
export type SourceFacts = z.infer<typeof sourceFactsSchema>;

/** Answer to `migration-facts {side: "target", instance, needs}`. */
export const targetFactsSchema = z.object({
  /** Template of the URI on which other hosts reach this libvirt; `{address}` is filled in by the manager. */
  peerUri: z.string().max(512),
  look: lookSchema,
  /** UUID of another instance that has the name. */
  nameTakenBy: uuidSchema.nullable(),
  memoryAvailableBytes: z.number().nonnegative(),
  cpus: z.number().int().nonnegative(),
  /** Whether libvirt here can run that type, architecture and machine together, or why not. */
  runs: z.object({ ok: z.boolean(), text: z.string().max(512) }),
  /** Named CPU models that this host can give; null where it was not told. */
  cpuModels: z.array(z.string().max(128)).max(1024).nullable(),
  cpu: cpuFactsSchema.nullable(),
  emulatorThere: z.boolean(),
  networks: z.array(z.object({ kind: z.string(), name: z.string(), there: z.boolean(), active: z.boolean() })).max(64),
  files: z.array(fileFactsSchema).max(256),
  /** Folders of libvirt's started pools here: into no other it copies a disk. Told when a disk is not there. */
  poolFolders: z.array(z.string().max(1024)).max(256).optional(),
  hostUuid: z.string().max(64).nullable(),
});
export type TargetFacts = z.infer<typeof targetFactsSchema>;

/** Answer to `migration-facts {side: "peer", uri}`: whether this host's libvirt reaches the other, and whose it is. */
export const peerFactsSchema = z.object({
  reached: z.boolean(),
  hostUuid: z.string().max(64).nullable(),
  text: z.string().max(512),
});
export type PeerFacts = z.infer<typeof peerFactsSchema>;

export const factsQuestionSchema = z.discriminatedUnion('side', [
  z.object({ side: z.literal('source'), instance: uuidSchema }),
  z.object({ side: z.literal('target'), instance: uuidSchema, needs: needsSchema }),
  z.object({ side: z.literal('peer'), uri: z.string().max(512) }),
]);
export type FactsQuestion = z.infer<typeof factsQuestionSchema>;

export const lookQuestionSchema = z.object({ instance: uuidSchema });

/** Arguments of the command `migrate` to the agent of the source. */
export const migrateArgsSchema = z.strictObject({
  /** Id and name of the target host, for the record. */
  target: z.string().max(255),
  targetName: z.string().max(255),
  /** libvirt of the target as the source reaches it; checked again by the agent. */
  uri: z.string().max(512),
  live: z.boolean(),
  tunnelled: z.boolean(),
  copyStorage: z.boolean(),
  /** Longest stop of the guest that is allowed; it is given up when less does not do. */
  maxDowntimeMs: z.number().int().min(1).max(60_000).optional(),
  /** Bytes a second that the move may take of the network; as it likes where absent. */
  maxRateBps: z.number().int().min(1).max(1e12).optional(),
  /** How it was before: a guest that was paused is not resumed, and the target does not learn of the mark by itself. */
  was: z.strictObject({ paused: z.boolean(), autostart: z.boolean() }),
});
export type MigrateArgs = z.infer<typeof migrateArgsSchema>;

/** What the manager may have done on one side when a move did not end clean; `expect` only raises the fence there. */
export const SETTLE_STEPS = ['expect', 'destroy', 'resume', 'pause', 'undefine', 'autostart'] as const;
export type SettleStep = (typeof SETTLE_STEPS)[number];
export const settleArgsSchema = z.strictObject({ step: z.enum(SETTLE_STEPS), of: z.string().max(64) });
/** Verb of these steps: always part of a migration's job. */
export const SETTLE_VERB = 'settle';

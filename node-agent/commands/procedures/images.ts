import { realpath } from 'node:fs/promises';
import { z } from 'zod';
import { isWebvirtError, WebvirtError } from '../../../common/errors.ts';
import type { AgentInstance } from '../../../common/model/instance.ts';
import { IMAGE_FORMATS, resourceNameSchema } from '../../../common/model/resources.ts';
import { mustBePlain, readDiskHeader } from '../../resources/disk-header.ts';
import { openInPool } from '../../resources/file-in-pool.ts';
import { identityOf, type KeptImage } from '../../resources/images.ts';
import type { QemuImg } from '../../resources/qemu-img.ts';
import type { Resources } from '../../resources/resources.ts';
import type { Outcome } from '../journal-entry.ts';
import { done, failed } from '../outcomes.ts';
import { defineProcedure, type Procedure, type ProcedureCall } from './procedure.ts';

const file = z.string().min(1).max(512);
const registerArgs = z.strictObject({
  name: resourceNameSchema,
  pool: resourceNameSchema,
  /** These three relative to the pool. */
  file,
  format: z.enum(IMAGE_FORMATS),
  kernel: file.optional(),
  initrd: file.optional(),
  cmdline: z
    .string()
    .max(1_024)
    .regex(/^[\x20-\x7e]*$/, 'printable ASCII only')
    .optional(),
});
type RegisterArgs = z.output<typeof registerArgs>;
const forgetArgs = z.strictObject({ name: resourceNameSchema });

export interface ImageDeps {
  resources: Pick<Resources, 'pools' | 'images' | 'changed'>;
  hypervisor: { instances(): AgentInstance[] };
  qemuImg: QemuImg;
  now(): number;
}

/** Puts a file of a pool on the list of base images, after everything about it was looked at. */
export function createRegisterImage(deps: ImageDeps): Procedure {
  const { resources, hypervisor, qemuImg } = deps;

  async function look(args: RegisterArgs): Promise<KeptImage> {
    const folder = await resources.pools.folder(args.pool);
    if (args.kernel === undefined && (args.initrd !== undefined || args.cmdline !== undefined))
      throw new WebvirtError('bad-request', 'An initrd and a command line are of use with a kernel only.');
    const image = await openInPool(folder, args.file);
    try {
      mustBePlain(await readDiskHeader(image.handle), args.format);
      const identity = await identityOf(image.handle);
      const { virtualBytes, fileBytes } = await qemuImg.info(image.handle.fd, args.format);
      await mustBeNobodys(image.path, hypervisor.instances());
      return {
        ...{ name: args.name, pool: args.pool, path: image.path, format: args.format, virtualBytes, fileBytes },
        ...(args.kernel === undefined ? {} : { kernel: await plainFile(folder, args.kernel) }),
        ...(args.initrd === undefined ? {} : { initrd: await plainFile(folder, args.initrd) }),
        ...(args.cmdline === undefined ? {} : { cmdline: args.cmdline }),
        ...{ registeredMs: deps.now(), identity },
      };
    } finally {
      await image.handle.close();
    }
  }

  async function register(call: ProcedureCall<RegisterArgs>): Promise<Outcome> {
    try {
      const image = await look(call.args);
      call.started(null);
      await resources.images.put(image);
      void resources.changed();
      call.line('info', 'Base image registered', { name: image.name, path: image.path, format: image.format });
      return done(null, { image: image.name, path: image.path, virtualBytes: image.virtualBytes });
    } catch (error) {
      if (isWebvirtError(error)) return failed(error.code, error.message);
      throw error;
    }
  }
  // Nothing but our own list is written, whole: to do it again is to do it once.
  return defineProcedure({ name: 'register-image', args: registerArgs, on: 'host', run: register, recover: register });
}

/** Takes a base image off the list. Its file stays, and the disks that stand on it go on. */
export function createForgetImage({ resources }: Pick<ImageDeps, 'resources'>): Procedure {
  async function forget(call: ProcedureCall<z.output<typeof forgetArgs>>): Promise<Outcome> {
    const { name } = call.args;
    const path = resources.images.get(name)?.path ?? null;
    call.started(null);
    const was = await resources.images.remove(name);
    void resources.changed();
    if (!was) return done(null, { noop: true, note: 'This host has no base image of this name.' });
    call.line('info', 'Base image forgotten; its file stays', { name, path });
    return done(null, { image: name, path });
  }
  return defineProcedure({ name: 'forget-image', args: forgetArgs, on: 'host', run: forget, recover: forget });
}

async function plainFile(folder: string, relative: string): Promise<string> {
  const { path, handle } = await openInPool(folder, relative);
  await handle.close();
  return path;
}

/** A base is never written to: the disk of an instance is no base as long as it has one. */
async function mustBeNobodys(path: string, instances: readonly AgentInstance[]): Promise<void> {
  // An instance may name its disk by a link.
  for (const { name, disks = [] } of instances)
    for (const { source } of disks)
      if (source === path || (source !== undefined && (await realpath(source).catch(() => source)) === path))
        throw new WebvirtError('in-use', `This file is the disk of instance ${name}; a base image must stay as it is.`);
}

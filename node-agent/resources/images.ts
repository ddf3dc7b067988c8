import { type FileHandle, lstat, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { WebvirtError } from '../../common/errors.ts';
import { type BaseImage, baseImageSchema } from '../../common/model/resources.ts';

/** What tells that a file is still the one that was registered. Times in milliseconds, fractions included. */
const identitySchema = z.object({ ino: z.number(), sizeBytes: z.number(), modifiedMs: z.number() });
const keptSchema = baseImageSchema.omit({ fault: true, clones: true }).extend({ identity: identitySchema });
export type KeptImage = z.infer<typeof keptSchema>;
const fileSchema = z.object({ version: z.literal(1), images: z.array(keptSchema) });

/** The base images of this host. The file is written whole and synced at each change. */
export interface Images {
  /** Reads the file. A missing one is an empty list. @throws {Error} when it is there and cannot be read. */
  load(): Promise<void>;
  list(): readonly KeptImage[];
  get(name: string): KeptImage | undefined;
  /** Adds one, or replaces the one of this name and file. @throws {WebvirtError} name-taken by another file. */
  put(image: KeptImage): Promise<void>;
  /** False when there was none of this name. */
  remove(name: string): Promise<boolean>;
}

export function createImages(path: string): Images {
  const images = new Map<string, KeptImage>();
  let turn: Promise<unknown> = Promise.resolve();

  /** One change at a time; memory follows the disk, so what is told is never lost by a restart. */
  function change<T>(work: (next: Map<string, KeptImage>) => T): Promise<T> {
    const mine = turn.then(async () => {
      const next = new Map(images);
      const answer = work(next);
      await writeWhole(path, JSON.stringify({ version: 1, images: [...next.values()] }, null, 1));
      images.clear();
      for (const [name, image] of next) images.set(name, image);
      return answer;
    });
    turn = mine.catch(() => undefined);
    return mine;
  }

  return {
    async load() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (text === null) return;
      for (const image of fileSchema.parse(JSON.parse(text)).images) images.set(image.name, image);
    },
    list: () => [...images.values()],
    get: (name) => images.get(name),
    put: (image) =>
      change((next) => {
        const before = next.get(image.name);
        if (before !== undefined && before.path !== image.path)
          throw new WebvirtError(
            'name-taken',
            `This host has a base image ${image.name} already: ${before.path}. Forget that first.`,
          );
        next.set(image.name, image);
      }),
    remove: (name) => (images.has(name) ? change((next) => next.delete(name)) : Promise.resolve(false)),
  };
}

export async function identityOf(handle: FileHandle): Promise<KeptImage['identity']> {
  const { ino, size: sizeBytes, mtimeMs: modifiedMs } = await handle.stat();
  return { ino, sizeBytes, modifiedMs };
}

/** Why no instance can be made of an image now, or null. Looks at the file's name only; nothing of it is read. */
export async function imageFault(image: KeptImage): Promise<string | null> {
  try {
    for (const path of [image.kernel, image.initrd]) if (path !== undefined) await lstat(path);
    const now = await lstat(image.path);
    const { identity } = image;
    if (!now.isFile()) return 'Its file is no regular file any more.';
    // A clone stands on every byte of its base: other bytes there, and the disk is a mixture of two.
    if (now.ino !== identity.ino || now.size !== identity.sizeBytes || now.mtimeMs !== identity.modifiedMs)
      return 'Its file has changed since it was registered. Register it again if that is meant.';
    return null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' ? 'Its file is gone. Is the pool mounted?' : `Its file cannot be read (${code}).`;
  }
}

/** @throws {WebvirtError} not-found for an unknown image, bad-request for one that cannot be used now. */
export async function mustBeUsable(images: Images, name: string): Promise<KeptImage> {
  const image = images.get(name);
  if (image === undefined) throw new WebvirtError('not-found', `This host has no base image ${name}.`);
  const fault = await imageFault(image);
  if (fault !== null) throw new WebvirtError('bad-request', `Base image ${name}: ${fault}`);
  return image;
}

/** The image as the manager is told of it. */
export function presentImage({ identity: _identity, ...image }: KeptImage): BaseImage {
  return image;
}

/** There whole and on disk, or as it was before. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await synced(draft, 'w', (file) => file.writeFile(text));
  await rename(draft, path);
  await synced(dirname(path), 'r', async () => undefined);
}

async function synced(path: string, flags: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await work(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../../resources/images.ts';

const removalSchema = z.object({
  opId: z.string(),
  disks: z.array(z.object({ path: z.string(), ino: z.number() })),
  consoleLog: z.string(),
});
export type Removal = z.infer<typeof removalSchema>;

/**
 * What a deletion is about to remove, on disk before the definition goes: with the definition goes the only other record
 * of which files were the instance's own.
 */
export function createRemovals(folder: string) {
  const file = (uuid: string) => join(folder, `${uuid}.json`);
  return {
    async write(uuid: string, removal: Removal): Promise<void> {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeWhole(file(uuid), JSON.stringify(removal));
    },
    /** Null when there is none of this operation. */
    async read(uuid: string, opId: string): Promise<Removal | null> {
      const text = await readFile(file(uuid), 'utf8').catch(() => null);
      const removal = text === null ? null : removalSchema.parse(JSON.parse(text));
      return removal?.opId === opId ? removal : null;
    },
    forget: (uuid: string) => rm(file(uuid), { force: true }),
  };
}
export type Removals = ReturnType<typeof createRemovals>;

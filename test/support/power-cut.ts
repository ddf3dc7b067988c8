import { spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { random } from './migration-faults.ts';

const CACHE = resolve(import.meta.dirname, '../../.cache/test');
/** Bytes of the head of a record; see power-cut.c. */
const HEAD = 40;

interface Write {
  offset: number;
  old: Buffer;
  size: number;
}

export interface PowerCuts {
  /** For the programs whose files below the folder shall lose what was not synced. */
  envOf(folder: string, options?: { syncs?: boolean }): Record<string, string>;
  /**
   * Takes back what nobody had synced, of each file a random number of its last writes: the kernel may have brought the
   * ones before that to the disk. Only while none of the programs lives. Answers how many writes are gone.
   */
  cut(folder: string, seed: number): number;
  remove(): void;
}

/**
 * The library that remembers what is not synced; see power-cut.c. Weaker than a machine without power: files that were made,
 * named anew or removed stay so, and writes reach the disk in their order.
 */
export function createPowerCuts(): PowerCuts {
  mkdirSync(CACHE, { recursive: true });
  const dir = mkdtempSync(join(CACHE, 'power-cut-'));
  const [library, log] = [join(dir, 'power-cut.so'), join(dir, 'log')];
  const source = join(import.meta.dirname, 'power-cut.c');
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`cc: ${built.stderr}`);
  return {
    envOf: (folder, { syncs = true } = {}) => ({
      ...{ LD_PRELOAD: library, POWER_CUT_FOLDER: folder, POWER_CUT_LOG: log },
      ...(syncs ? {} : { POWER_CUT_NO_SYNC: '1' }),
    }),
    cut(folder, seed) {
      const next = random(seed);
      const paths = new Map(filesIn(folder).map((path) => [statSync(path).ino, path]));
      let gone = 0;
      for (const [inode, writes] of unsynced(readFileSync(log))) {
        const path = paths.get(inode);
        if (path === undefined) continue;
        const kept = Math.floor(next() * (writes.length + 1));
        const file = openSync(path, 'r+');
        for (const { offset, old, size } of writes.slice(kept).reverse()) {
          writeSync(file, old, 0, old.length, offset);
          ftruncateSync(file, size);
          gone += 1;
        }
        closeSync(file);
      }
      writeFileSync(log, '');
      return gone;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** By inode: the writes behind the last sync of the file, oldest first. */
function unsynced(log: Buffer): Map<number, Write[]> {
  const files = new Map<number, Write[]>();
  for (let at = 0; at + HEAD <= log.length; ) {
    const [kind, inode, offset, kept, size] = [0, 8, 16, 24, 32].map((field) =>
      Number(log.readBigUInt64LE(at + field)),
    );
    at += HEAD;
    const old = log.subarray(at, at + kept!);
    at += kept!;
    if (kind !== 'W'.charCodeAt(0)) files.delete(inode!);
    else {
      const writes = files.get(inode!) ?? [];
      writes.push({ offset: offset!, old, size: size! });
      files.set(inode!, writes);
    }
  }
  return files;
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

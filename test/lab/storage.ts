import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { unpackPackages } from './debian.ts';
import { findProgram } from './requirements.ts';

/** How the image folder gets into the hosts. */
export interface SharedStorage {
  readonly kind: 'fuse' | 'plain';
  /** Program and library path of bindfs; null for a plain bind mount. */
  readonly bindfs: { readonly program: string; readonly libraryDir: string } | null;
  /** Why it is only 'plain'. */
  readonly reason: string | null;
}

/**
 * libvirt migrates a disk without --unsafe only when its file system says that other hosts see it too, and it knows
 * those by type: NFS, Ceph, GFS2, Gluster … A bind mount of a local folder is refused, although in the lab all hosts
 * do share it. So each host sees the folder through bindfs, mounted with the type "fuse.glusterfs": the same statement
 * a real shared file system makes. bindfs is taken from the machine, or unpacked into the cache.
 */
export async function prepareSharedStorage(cacheDir: string): Promise<SharedStorage> {
  if (!existsSync('/dev/fuse')) return plain('/dev/fuse is missing');
  const installed = findProgram('bindfs');
  if (installed) return { kind: 'fuse', bindfs: { program: installed, libraryDir: '' }, reason: null };
  const dir = join(cacheDir, 'bindfs');
  const program = join(dir, 'usr/bin/bindfs');
  if (!existsSync(program)) {
    try {
      await unpackPackages(['bindfs', 'libfuse2'], dir);
    } catch (error) {
      return plain(`${(error as Error).message}; apt-get install --no-install-recommends bindfs helps`);
    }
  }
  const libraryDir = [join(dir, 'lib/x86_64-linux-gnu'), join(dir, 'usr/lib/x86_64-linux-gnu')].find((d) =>
    existsSync(d),
  );
  return { kind: 'fuse', bindfs: { program, libraryDir: libraryDir ?? '' }, reason: null };
}

function plain(reason: string): SharedStorage {
  return { kind: 'plain', bindfs: null, reason };
}

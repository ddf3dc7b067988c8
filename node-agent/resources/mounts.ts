import { readFile } from 'node:fs/promises';

/**
 * File systems that several hosts see at once, by the type that Linux shows. libvirt knows them by the same types and
 * refuses to move a guest whose disk lies elsewhere, so a plain bind mount of a shared folder does not count here either.
 */
const SHARED = new Set([
  ...['nfs', 'nfs4', 'cifs', 'smb3', 'ocfs2', 'gfs2', 'ceph', 'gpfs', 'lustre', 'beegfs', 'acfs', 'afs', 'vxfs'],
  ...['fuse.glusterfs', 'fuse.ceph', 'fuse.quobyte', 'fuse.mfs', 'fuse.sshfs', 'glusterfs'],
]);

export interface Mount {
  path: string;
  type: string;
}

/** Reads `/proc/self/mounts`; a later mount on the same folder hides the earlier. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, path, type] = line.split(' ');
    return path === undefined || type === undefined ? [] : [{ path: unescaped(path), type }];
  });
}

export async function readMounts(): Promise<Mount[]> {
  return parseMounts(await readFile('/proc/self/mounts', 'utf8').catch(() => ''));
}

/** True when the file system of this real path is one that other hosts see too. */
export function isShared(realPath: string, mounts: readonly Mount[]): boolean {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const inside = mount.path === '/' || realPath === mount.path || realPath.startsWith(`${mount.path}/`);
    if (inside && mount.path.length >= (best?.path.length ?? 0)) best = mount;
  }
  return best !== undefined && SHARED.has(best.type);
}

/** Blanks, tabs, line ends and backslashes are written as octal numbers there. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

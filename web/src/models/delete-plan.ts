import type { Instance } from '../../../common/model/instance.ts';

export interface DiskFate {
  target: string;
  path: string;
  /** True: the file is removed with the instance. */
  goes: boolean;
  why: string;
}

/** What is known of the instance's host: where our files lie, and which of them are base images. */
export interface DeletePlaces {
  pools: readonly { name: string; path: string }[];
  images: readonly { path: string; kernel?: string | undefined; initrd?: string | undefined }[];
}

/**
 * What will become of each disk. Only the file that was made for this instance goes: the one in a pool
 * that has its UUID for a name.
 * Everything else stays, whatever it is; the host decides by the same rule and has the last word. `places` null: not
 * known yet.
 */
export function diskFates(instance: Pick<Instance, 'id' | 'disks'>, places: DeletePlaces | null): DiskFate[] {
  return (instance.disks ?? [])
    .filter((disk) => disk.source)
    .map((disk) => {
      const path = disk.source!;
      const { goes, why } = fateOf(instance.id, path, disk.device, places);
      return { target: disk.target, path, goes, why };
    });
}

function fateOf(id: string, path: string, device: string, places: DeletePlaces | null): { goes: boolean; why: string } {
  if (device !== 'disk') return { goes: false, why: `a ${device}: only taken out` };
  if (places === null) return { goes: false, why: 'not known yet' };
  if (places.images.some((image) => image.path === path)) return { goes: false, why: 'a base image' };
  const pool = places.pools.find((one) => path.startsWith(folderOf(one)));
  if (pool === undefined) return { goes: false, why: 'outside of the pools' };
  if (path !== `${folderOf(pool)}${id}.qcow2`) return { goes: false, why: 'was not made for this instance' };
  return { goes: true, why: `made for this instance, in pool ${pool.name}` };
}

const folderOf = (pool: { path: string }) => `${pool.path.replace(/\/$/, '')}/`;

import type { MigrationCheck } from '../../common/model/migration.ts';
import type { FileFacts, NeededFile, SourceFacts, TargetFacts } from '../../common/wire/migration.ts';

interface Where {
  live: boolean;
  copyStorage: boolean;
  tunnelled: boolean;
  sourceName: string;
  targetName: string;
}

/** Disks must be the same files on both hosts, or be copied to where nothing is yet. */
export function diskChecks(at: Where, source: SourceFacts, target: TargetFacts): MigrationCheck[] {
  const { needs } = source;
  const checks: MigrationCheck[] = [];
  if (at.copyStorage && (!at.live || at.tunnelled))
    checks.push({
      check: 'disk',
      verdict: 'fail',
      text: 'Disks are copied only in a live move that is not tunnelled; put them on shared storage instead.',
    });
  for (const file of needs.files.filter(({ kind }) => kind !== 'boot')) {
    const here = source.files.find(({ path }) => path === file.path);
    const there = target.files.find(({ path }) => path === file.path);
    checks.push(
      file.kind === 'disk' && at.copyStorage
        ? copied(at, file, there, target.poolFolders)
        : shared(at, file, here, there),
    );
  }
  if (needs.remoteDisks > 0)
    checks.push({
      check: 'disk',
      verdict: 'warn',
      text: `${needs.remoteDisks} of its disks are reached over the network; whether ${at.targetName} may reach them was not checked.`,
    });
  return checks.length > 0 ? checks : [{ check: 'disk', verdict: 'ok', text: 'It has no disk.' }];
}

/** `poolFolders` absent: an agent of an earlier version did not tell them. */
function copied(
  at: Where,
  { path, block }: NeededFile,
  there: FileFacts | undefined,
  poolFolders: readonly string[] | undefined,
): MigrationCheck {
  const say = (verdict: MigrationCheck['verdict'], text: string): MigrationCheck => ({ check: 'disk', verdict, text });
  if (block) return say('fail', `${path} is a block device: only disks that are files are copied.`);
  if (there?.there === true)
    return say(
      'fail',
      `${path} exists on ${at.targetName} already: a copy would overwrite it. If both hosts share it, do not copy.`,
    );
  const folder = path.slice(0, path.lastIndexOf('/')) || '/';
  if (poolFolders !== undefined && !poolFolders.some((pool) => pool.replace(/(?<=.)\/$/, '') === folder))
    return say(
      'fail',
      `libvirt of ${at.targetName} makes the copy only in a storage pool of its own that is started, and has none in ${folder}. There: virsh pool-define-as NAME dir --target ${folder}, then virsh pool-start NAME.`,
    );
  return say(
    'ok',
    `${path} will be copied whole to ${at.targetName}. The file on ${at.sourceName} stays; remove it when you need it no more.`,
  );
}

function shared(
  at: Where,
  file: NeededFile,
  here: FileFacts | undefined,
  there: FileFacts | undefined,
): MigrationCheck {
  const { path, block } = file;
  const say = (verdict: MigrationCheck['verdict'], text: string): MigrationCheck => ({ check: 'disk', verdict, text });
  if (here?.there !== true) return say('fail', `${path} is missing on ${at.sourceName}.`);
  if (there?.there !== true)
    return say('fail', `${path} is not there on ${at.targetName}; put it on storage that both hosts share.`);
  if (!there.readable) return say('fail', `${path} cannot be read on ${at.targetName}.`);
  if (block)
    return here.head !== null && here.head === there.head
      ? say('ok', `${path} begins the same on both hosts.`)
      : say('fail', `${path} is another device on ${at.targetName}.`);
  const sameHead = here.head !== null && here.head === there.head;
  if (here.inode !== there.inode) {
    if (file.kind === 'cdrom' && sameHead && here.sizeBytes === there.sizeBytes)
      return say('ok', `${path} is the same image on both hosts.`);
    if (!sameHead) return say('fail', `${path} on ${at.targetName} is another file than on ${at.sourceName}.`);
    if (!here.shared || !there.shared)
      return say(
        'fail',
        `${path} looks the same on both hosts, but each has a copy of its own: it must be one file on shared storage.`,
      );
    return say('warn', `${path} looks the same on both hosts, but the storage does not show that it is one file.`);
  }
  if (file.kind === 'disk' && at.live && (!here.shared || !there.shared))
    return say(
      'fail',
      `${path} is the same file, but ${here.fileSystem} is not known to be shared between hosts, and libvirt refuses a live move then. Use NFS, Ceph, GFS2, Gluster or the like.`,
    );
  return say('ok', `${path} is the same file on both hosts (${there.fileSystem}).`);
}

/** Kernels and firmware are read at a start: a guest that moves live has them in memory, its next start needs them. */
export function bootFileChecks(targetName: string, source: SourceFacts, target: TargetFacts): MigrationCheck[] {
  return source.needs.files
    .filter(({ kind }) => kind === 'boot')
    .map(({ path }): MigrationCheck => {
      const here = source.files.find((file) => file.path === path);
      const there = target.files.find((file) => file.path === path);
      if (there?.there !== true)
        return { check: 'boot', verdict: 'fail', text: `${path}, which it boots from, is not there on ${targetName}.` };
      if (here?.head !== there.head || here?.sizeBytes !== there.sizeBytes)
        return {
          check: 'boot',
          verdict: 'warn',
          text: `${path} differs on ${targetName}: its next start may not be the same.`,
        };
      return { check: 'boot', verdict: 'ok', text: `${path} is the same on both hosts.` };
    });
}

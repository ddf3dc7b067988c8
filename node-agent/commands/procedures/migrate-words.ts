import type { MigrateArgs } from '../../../common/wire/migration.ts';

const MIB = 1024 * 1024;

/** What virsh is told to move an instance. No post-copy and no `--unsafe`: there is no way back from either. */
export function migrateWords(args: MigrateArgs, uri: string): string[] {
  const words = ['migrate', args.live ? '--live' : '--offline', '--p2p'];
  if (args.live && args.tunnelled) words.push('--tunnelled');
  words.push('--persistent', '--undefinesource');
  if (args.live) words.push('--abort-on-error');
  if (args.copyStorage) words.push('--copy-storage-all');
  // virsh counts in MiB a second.
  if (args.live && args.maxRateBps !== undefined)
    words.push(`--bandwidth=${Math.max(1, Math.round(args.maxRateBps / MIB))}`);
  words.push(`--desturi=${uri}`);
  return words;
}

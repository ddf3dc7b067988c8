import { isAsGoodAsFull } from './start-room.ts';

/**
 * What a person should read when the manager cannot start, in one line: causes that one meets are put in words that say
 * what to do; anything else speaks for itself.
 */
export function explainStartError(error: unknown, dataDir: string): string {
  const message = error instanceof Error ? error.message : String(error);
  // Said already where it was met.
  if (message.startsWith('dataDir: ')) return message;
  const code = codeOf(error);
  // Without room SQLite may not be able to open a file, and calls that an error of the disk.
  const isOfDisk = code.startsWith('SQLITE_IOERR') || code === 'SQLITE_CANTOPEN';
  if (code === 'ENOSPC' || code === 'SQLITE_FULL' || (isOfDisk && isAsGoodAsFull(dataDir)))
    return (
      `disk full: no space is left for ${dataDir} (WEBVIRT_DATA_DIR, ${code}). Make room there, about 16 MiB to begin with, ` +
      'and start again: what is stored is untouched, and agents keep their lines'
    );
  if (code === 'EDQUOT') return `disk full: the quota of this user is used up for ${dataDir} (WEBVIRT_DATA_DIR)`;
  if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB') {
    return `the file ${dataDir}/webvirt.sqlite is damaged (${message}); put it back from a backup`;
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'SQLITE_READONLY' || code === 'SQLITE_CANTOPEN') {
    return `dataDir: ${dataDir} may not be written by this user: ${message} (WEBVIRT_DATA_DIR)`;
  }
  return message.split('\n')[0] ?? message;
}

/** The code of an error or of the first cause that has one. */
function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string' && /^(E[A-Z]+|SQLITE_\w+)$/.test(code)) return code;
  }
  return '';
}

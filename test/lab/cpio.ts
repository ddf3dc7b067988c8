/** One entry of a cpio archive. A mode with the directory bit has no data. */
export interface CpioEntry {
  readonly path: string;
  /** File type and permissions, as in stat(2). */
  readonly mode: number;
  readonly data?: Buffer;
}

export const DIRECTORY = 0o040755;
export const EXECUTABLE = 0o100755;
export const PLAIN_FILE = 0o100644;

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}

function record(inode: number, path: string, mode: number, data: Buffer): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const links = mode === DIRECTORY ? 2 : 1;
  const numbers = [inode, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${numbers.map((n) => n.toString(16).padStart(8, '0').toUpperCase()).join('')}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

/** An archive in the "newc" form, the one the kernel unpacks as its first file system. Directories come before their files. */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.flatMap((entry, i) => record(i + 1, entry.path, entry.mode, entry.data ?? Buffer.alloc(0)));
  return Buffer.concat([...parts, ...record(0, 'TRAILER!!!', 0, Buffer.alloc(0))]);
}

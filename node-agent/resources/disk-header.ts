import type { FileHandle } from 'node:fs/promises';
import { WebvirtError } from '../../common/errors.ts';
import type { BaseImage } from '../../common/model/resources.ts';

/** What the first bytes of a disk image say, read by us: QEMU opens what they name, so they are judged before it sees them. */
export interface DiskHeader {
  /** Format by its own mark; null where there is none, as in a raw disk. */
  looksLike: string | null;
  /** Name of another file that the image is a difference to. */
  backing: string | null;
  /** Its data lies in another file. */
  dataFile: boolean;
  encrypted: boolean;
}

const HEADER_BYTES = 4_096;
const MAX_BACKING_NAME = 1_023;
const MARKS: readonly [mark: Buffer, name: string][] = [
  [Buffer.from('QFI\xfb', 'latin1'), 'qcow2'],
  [Buffer.from('KDMV'), 'vmdk'],
  [Buffer.from('COWD'), 'vmdk'],
  [Buffer.from('# Disk DescriptorFile'), 'vmdk'],
  [Buffer.from('QED\0'), 'qed'],
  [Buffer.from('vhdxfile'), 'vhdx'],
  [Buffer.from('conectix'), 'vpc'],
  [Buffer.from('<<< '), 'vdi'],
  [Buffer.from('LUKS\xba\xbe', 'latin1'), 'luks'],
  [Buffer.from('OOOO'), 'cow'],
  [Buffer.from('WithoutFreeSpace'), 'parallels'],
  [Buffer.from('WithouFreSpacExt'), 'parallels'],
];
/** Bit of the incompatible features: the guest's data is in a file of its own. */
const EXTERNAL_DATA = 1n << 2n;

export async function readDiskHeader(handle: FileHandle): Promise<DiskHeader> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  const looksLike = MARKS.find(([mark]) => head.subarray(0, mark.length).equals(mark))?.[1] ?? null;
  const none = { looksLike, backing: null, dataFile: false, encrypted: looksLike === 'luks' };
  if (looksLike !== 'qcow2' || head.length < 72) return none;
  const offset = head.readBigUInt64BE(8);
  const length = head.readUInt32BE(16);
  const features = head.readUInt32BE(4) >= 3 && head.length >= 80 ? head.readBigUInt64BE(72) : 0n;
  return {
    looksLike,
    backing: offset === 0n ? null : await backingName(handle, offset, length),
    dataFile: (features & EXTERNAL_DATA) !== 0n,
    encrypted: head.readUInt32BE(32) !== 0,
  };
}

/** An image that names a backing file in a way we cannot read still names one. */
async function backingName(handle: FileHandle, offset: bigint, length: number): Promise<string> {
  if (length === 0 || length > MAX_BACKING_NAME || offset > 2n ** 40n) return '(unreadable)';
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, Number(offset));
  return buffer.toString('utf8', 0, bytesRead);
}

/**
 * @throws {WebvirtError} bad-request when the image is not of this format, or stands on other files than itself: a base is
 * one file, for whoever writes the name of another into its header reads that file of the host.
 */
export function mustBePlain(header: DiskHeader, format: BaseImage['format']): void {
  const refuse = (message: string): never => {
    throw new WebvirtError('bad-request', message);
  };
  if (format === 'raw' && header.looksLike !== null)
    refuse(`The file begins like a ${header.looksLike} image and is not raw. Name its true format, or convert it.`);
  if (format !== 'raw' && header.looksLike !== format)
    refuse(
      `The file is not a ${format} image${header.looksLike === null ? '' : `: it begins like ${header.looksLike}`}.`,
    );
  if (header.backing !== null)
    refuse('The image is a difference to another file. Make it whole first: qemu-img convert -O qcow2.');
  if (header.dataFile)
    refuse('The data of the image is in another file. Make it whole first: qemu-img convert -O qcow2.');
  if (header.encrypted) refuse('The image is encrypted; no instance can be made of it here.');
}

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { SaxesParser } from 'saxes';

const LIMIT_TAIL_BYTES = 16 * 1024;

/** What a domain's XML tells of its serial console. */
export interface SerialPort {
  /** False when there is no port that a console could be opened on. */
  present: boolean;
  /** The file to which libvirt writes what the port says; null when it writes none. */
  logFile: string | null;
}

/** Reads `dumpxml`; what is not well-formed tells nothing. */
export function readSerialPort(domainXml: string): SerialPort {
  const port: SerialPort = { present: false, logFile: null };
  const path: string[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', (tag) => {
    path.push(tag.name);
    const at = path.join('/');
    if (at === 'domain/devices/serial' || at === 'domain/devices/console') port.present = true;
    if (at === 'domain/devices/serial/log' || at === 'domain/devices/console/log')
      port.logFile ??= (tag.attributes as Record<string, string>)['file'] ?? null;
  });
  parser.on('closetag', () => void path.pop());
  parser.on('error', () => undefined);
  parser.write(domainXml).close();
  return port;
}

export interface Tail {
  bytes: Buffer;
  /** How long the file is: where to go on. */
  endByte: number;
}

/**
 * The last bytes of a file, from the beginning of a line on; not those before `fromByte`, which were seen. A file that is
 * shorter than that has begun anew. Null when it cannot be read.
 */
export async function readTail(path: string, fromByte = 0, limitBytes = LIMIT_TAIL_BYTES): Promise<Tail | null> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return null;
      const wanted = fromByte > stat.size ? 0 : fromByte;
      const from = Math.max(wanted, stat.size - limitBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(stat.size - from), 0, stat.size - from, from);
      const tail = buffer.subarray(0, bytesRead);
      return { bytes: from === wanted ? tail : tail.subarray(tail.indexOf(10) + 1), endByte: stat.size };
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

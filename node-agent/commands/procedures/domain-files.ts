import { SaxesParser } from 'saxes';

/** A disk of a domain that is a file, as its XML says. Nothing of it is believed before it was looked at. */
export interface DomainDisk {
  file: string;
  device: string;
  serial: string;
}

/** The disks in a domain's XML that are files. @throws {Error} for what is not well-formed. */
export function domainDisks(xml: string): DomainDisk[] {
  const disks: DomainDisk[] = [];
  const path: string[] = [];
  let disk: DomainDisk | null = null;
  let text = '';
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    path.push(name);
    text = '';
    const given = attributes as Record<string, string>;
    const at = path.join('/');
    if (at === 'domain/devices/disk') disk = { file: '', device: given['device'] ?? 'disk', serial: '' };
    else if (disk !== null && at === 'domain/devices/disk/source') disk.file = given['file'] ?? '';
  });
  parser.on('text', (chunk) => {
    text += chunk;
  });
  parser.on('closetag', () => {
    const at = path.join('/');
    if (disk !== null && at === 'domain/devices/disk/serial') disk.serial = text.trim();
    if (disk !== null && at === 'domain/devices/disk') {
      if (disk.file !== '') disks.push(disk);
      disk = null;
    }
    path.pop();
    text = '';
  });
  parser.write(xml).close();
  return disks;
}

import { SaxesParser } from 'saxes';
import { parseIpv4 } from '../../common/pure/ip/address.ts';

/** A host that answered, as nmap tells it. `reason` is nmap's word, such as `syn-ack`, `reset`, `arp-response`. */
export interface HostRecord {
  address: number;
  reason: string;
}

export interface HostsXml {
  /** Takes a piece of nmap's output. Throws when it is not XML, is too long or too deep. */
  write(chunk: string): void;
}

const MAX_DEPTH = 16;

/**
 * Reads nmap's XML as it comes and tells each host that is up. The output holds words of the scanned side, so it is
 * bounded in length and depth; entities of a DTD are never expanded (saxes knows only the five of XML).
 */
export function createHostsXml(limitChars: number, onHost: (host: HostRecord) => void): HostsXml {
  const parser = new SaxesParser();
  let taken = 0;
  let depth = 0;
  let up = false;
  let reason = '';
  let address: number | null = null;

  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    depth += 1;
    if (depth > MAX_DEPTH) throw new Error('the output of nmap is nested too deeply');
    if (name === 'host') {
      up = false;
      reason = '';
      address = null;
    } else if (name === 'status') {
      up = attributes['state'] === 'up';
      reason = String(attributes['reason'] ?? '').slice(0, 32);
    } else if (name === 'address' && attributes['addrtype'] === 'ipv4') {
      address = parseIpv4(String(attributes['addr'] ?? ''));
    }
  });
  parser.on('closetag', ({ name }) => {
    depth -= 1;
    if (name === 'host' && up && address !== null) onHost({ address, reason });
  });

  return {
    write(chunk) {
      taken += chunk.length;
      if (taken > limitChars) throw new Error('the output of nmap is longer than its targets allow');
      parser.write(chunk);
    },
  };
}

import { readFileSync } from 'node:fs';

/** Bit of CAP_NET_RAW in the masks of capabilities. */
const NET_RAW = 13n;

/**
 * True when the programs that we start get raw sockets from us (`AmbientCapabilities=CAP_NET_RAW` of systemd). nmap asks
 * for the user alone: without being told it would make whole connections, which is slow on a large range.
 */
export function handsOnRawSockets(status = ownStatus()): boolean {
  const mask = /^CapAmb:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> NET_RAW) & 1n) === 1n;
}

function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

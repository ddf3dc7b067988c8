import type { Scan } from '../../common/model/discovery.ts';
import { printIpv4 } from '../../common/pure/ip/address.ts';
import type { Classified } from '../classify/classify.ts';

export interface KnownPass {
  /** Addresses that had an agent or are those of enrolled hosts. */
  addresses(): number[];
  look(address: number, scanId: string): Promise<Classified>;
  range: string;
  now(): number;
}

/** Id under which the inbox keeps the last pass over known agents: a pass every few seconds is no history. */
export const KNOWN_SCAN_ID = 'schedule-known';

/** Asks each known agent once, directly and without nmap. Resolves with the result of the pass; never rejects. */
export async function askKnown(pass: KnownPass): Promise<Scan> {
  const addresses = pass.addresses();
  const startedMs = pass.now();
  const seen = await Promise.all(addresses.map((address) => pass.look(address, KNOWN_SCAN_ID)));
  return {
    id: KNOWN_SCAN_ID,
    kind: 'known',
    range: addresses.length === 1 ? printIpv4(addresses[0]!) : pass.range,
    state: 'done',
    actor: 'schedule',
    startedMs,
    endedMs: pass.now(),
    addresses: addresses.length,
    scanned: addresses.length,
    up: seen.filter((one) => one.outcome !== 'silent').length,
    agents: seen.filter((one) => one.outcome === 'found' && one.finding.id !== null).length,
    error: null,
  };
}

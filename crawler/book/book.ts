import type { Finding } from '../../common/model/discovery.ts';
import { parseIpv4, printIpv4 } from '../../common/pure/ip/address.ts';
import { type Cidr, cidrSize, containsAddress } from '../../common/pure/ip/cidr.ts';
import type { Difference } from './difference.ts';

/** A finding whose id the handshake proved. */
export type AgentFinding = Finding & { id: string };

/** An agent as it was last seen. `missed`: how often in a row it did not answer since. */
export interface AgentEntry {
  address: number;
  id: string;
  finding: Finding;
  missed: number;
}

export interface BookState {
  agents: Finding[];
  /** Addresses of hosts that are up without an agent. */
  up: string[];
  /** Those of them where something else listens on the port. */
  strangers: string[];
}

/** What is known of each address that ever answered. Addresses that are not in it are silent. */
export interface Book {
  agents(): AgentEntry[];
  agentAt(address: number): AgentEntry | null;
  /** Addresses of the range that answered nothing so far, sorted. */
  silentIn(range: Cidr): number[];
  /** Addresses of the range where a host is up without an agent, sorted. */
  upIn(range: Cidr): number[];
  /**
   * An agent answered. Returns what is different from before, and where else the book has the same id: the caller looks
   * there to tell a move from a double.
   */
  saw(address: number, finding: AgentFinding): { differences: Difference[]; elsewhere: AgentEntry[] };
  /**
   * Somebody is there, and no agent; a stranger listens on the port or nobody does. An agent that was there is only
   * missed: `missed` decides. True when a stranger that was there is gone.
   */
  sawHost(address: number, stranger: boolean): boolean;
  /** Nothing answered there any more: a host without an agent is forgotten. True when it was a stranger. */
  sawNothing(address: number): boolean;
  /** A known agent did not answer; after `limit` times in a row it has vanished. */
  missed(address: number, limit: number): Difference[];
  state(): BookState;
}

export function createBook(before: BookState = { agents: [], up: [], strangers: [] }): Book {
  const agents = new Map<number, AgentEntry>();
  const up = new Set<number>();
  for (const finding of before.agents) {
    const address = parseIpv4(finding.address);
    if (address !== null && finding.id !== null) agents.set(address, { address, id: finding.id, finding, missed: 0 });
  }
  for (const text of before.up) {
    const address = parseIpv4(text);
    if (address !== null) up.add(address);
  }
  const strangers = new Set(before.strangers.map(parseIpv4).filter((address) => address !== null));
  const homesOf = (id: string) => [...agents.values()].filter((entry) => entry.id === id);

  return {
    agents: () => [...agents.values()],
    agentAt: (address) => agents.get(address) ?? null,
    silentIn(range) {
      const silent: number[] = [];
      for (let address = range.base; address < range.base + cidrSize(range); address += 1)
        if (!agents.has(address) && !up.has(address)) silent.push(address);
      return silent;
    },
    upIn: (range) => [...up].filter((address) => containsAddress(range, address)).sort((a, b) => a - b),
    saw(address, finding) {
      const was = agents.get(address);
      const elsewhere = was?.id === finding.id ? [] : homesOf(finding.id);
      up.delete(address);
      strangers.delete(address);
      agents.set(address, { address, id: finding.id, finding, missed: 0 });
      const differences =
        was?.id === finding.id ? changes(was.finding, finding) : arrival(finding, was, elsewhere.length === 0);
      return { differences, elsewhere };
    },
    sawHost(address, stranger) {
      if (!agents.has(address)) up.add(address);
      if (!stranger) return strangers.delete(address);
      strangers.add(address);
      return false;
    },
    sawNothing(address) {
      up.delete(address);
      return strangers.delete(address);
    },
    missed(address, limit) {
      const entry = agents.get(address);
      if (entry === undefined) return [];
      entry.missed += 1;
      if (entry.missed < limit) return [];
      agents.delete(address);
      const elsewhere = homesOf(entry.id)[0];
      const id = entry.id;
      return elsewhere === undefined
        ? [{ kind: 'vanished', address: printIpv4(address), id }]
        : [{ kind: 'moved', address: elsewhere.finding.address, id, from: printIpv4(address) }];
    },
    state: () => ({
      agents: [...agents.values()].map((entry) => entry.finding),
      up: [...up].map(printIpv4),
      strangers: [...strangers].map(printIpv4),
    }),
  };
}

/** A new id at an address. */
function arrival(finding: AgentFinding, was: AgentEntry | undefined, isNew: boolean): Difference[] {
  const { address, id, version, state } = finding;
  const list: Difference[] = [];
  if (was !== undefined) list.push({ kind: 'key', address, id, from: was.id });
  if (isNew) list.push({ kind: 'appeared', address, id, version, state });
  return list;
}

function changes(was: Finding, now: AgentFinding): Difference[] {
  const { address, id } = now;
  const list: Difference[] = [];
  if (was.version !== null && now.version !== null && was.version !== now.version)
    list.push({ kind: 'version', address, id, from: was.version, to: now.version });
  if (was.state !== now.state) list.push({ kind: 'state', address, id, from: was.state, to: now.state });
  return list;
}

import type { Finding } from '../common/model/discovery.ts';
import type { AgentFinding, Book } from './book/book.ts';
import type { Difference } from './book/difference.ts';
import type { Classified } from './classify/classify.ts';

export interface ObserverDeps {
  book: Book;
  classify(address: number): Promise<Classified>;
  /** Called for every finding, the unchanged ones too: the inbox shows when each was last seen. */
  onFinding(finding: Finding, scanId: string): void;
  onDifference(difference: Difference): void;
  onVanished(address: number, scanId: string): void;
}

/** How often in a row a known agent may fail to answer before it counts as lost. */
const MISSES = 2;

/** Looks at single addresses, keeps the book and tells what is found and what is different. */
export interface Observer {
  look(address: number, scanId: string): Promise<Classified>;
  /** A scan heard that a host is there and nobody listens on the port. */
  refused(address: number, scanId: string): void;
  /** A scan heard nothing from an address that had answered before. */
  silent(address: number, scanId: string): void;
}

export function createObserver(deps: ObserverDeps): Observer {
  const { book } = deps;
  const tell = (differences: Difference[]) => differences.forEach(deps.onDifference);

  async function sawAgent(address: number, finding: AgentFinding, scanId: string): Promise<void> {
    const { differences, elsewhere } = book.saw(address, finding);
    tell(differences);
    deps.onFinding(finding, scanId);
    for (const other of elsewhere) {
      const there = await deps.classify(other.address);
      if (there.outcome === 'found' && there.finding.id === finding.id)
        deps.onDifference({
          kind: 'doubled',
          address: finding.address,
          id: finding.id,
          other: other.finding.address,
        });
      else miss(other.address, 1, scanId);
    }
  }

  function miss(address: number, limit: number, scanId: string): void {
    const differences = book.missed(address, limit);
    if (differences.length === 0) return;
    tell(differences);
    deps.onVanished(address, scanId);
  }

  function refused(address: number, scanId: string): void {
    if (book.sawHost(address, false)) deps.onVanished(address, scanId);
  }
  function silent(address: number, scanId: string): void {
    if (book.sawNothing(address)) deps.onVanished(address, scanId);
  }

  return {
    async look(address, scanId) {
      const seen = await deps.classify(address);
      if (seen.outcome === 'found' && seen.finding.id !== null) {
        await sawAgent(address, seen.finding as AgentFinding, scanId);
        return seen;
      }
      // One probe may be lost on the way; whoever was an agent is asked again by the scan of known agents.
      miss(address, MISSES, scanId);
      if (seen.outcome === 'found') {
        book.sawHost(address, true);
        deps.onFinding(seen.finding, scanId);
      } else if (seen.outcome === 'closed') refused(address, scanId);
      else silent(address, scanId);
      return seen;
    },
    refused,
    silent,
  };
}

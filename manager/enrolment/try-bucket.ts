/** Failed tries per peer: each has `size` of them, and gets one back every `refillMs`. */
export interface TryBucket {
  /** False when the peer has used up its tries. */
  mayTry(peer: string): boolean;
  failed(peer: string): void;
}

const MAX_PEERS = 10_000;

export function createTryBucket(size: number, refillMs: number, now: () => number): TryBucket {
  const peers = new Map<string, { used: number; atMs: number }>();
  const usedBy = (peer: string): number => {
    const entry = peers.get(peer);
    return entry === undefined ? 0 : Math.max(0, entry.used - (now() - entry.atMs) / refillMs);
  };
  return {
    mayTry: (peer) => usedBy(peer) <= size - 1,
    failed(peer) {
      const used = usedBy(peer) + 1;
      // The one that failed longest ago is forgotten first.
      peers.delete(peer);
      peers.set(peer, { used, atMs: now() });
      if (peers.size > MAX_PEERS) peers.delete(peers.keys().next().value as string);
    },
  };
}

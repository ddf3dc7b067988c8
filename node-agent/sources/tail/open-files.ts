export interface Holder {
  /** False while it is being read. */
  isFree(): boolean;
  close(): Promise<void>;
}

/**
 * Bounds how many files are held open. A file is held so that what it gets before it is deleted or compressed can still be
 * read; the one that was read longest ago gives way.
 */
export function createOpenFiles(limit: number) {
  const holders = new Set<Holder>();
  return {
    /** Says that this one has a file open, and was read now. */
    async hold(holder: Holder): Promise<void> {
      holders.delete(holder);
      holders.add(holder);
      for (const oldest of holders) {
        if (holders.size <= limit) return;
        if (oldest === holder || !oldest.isFree()) continue;
        holders.delete(oldest);
        await oldest.close();
      }
    },
    drop: (holder: Holder) => void holders.delete(holder),
    count: () => holders.size,
  };
}
export type OpenFiles = ReturnType<typeof createOpenFiles>;

import type { OnUnreadable, UnreadableLines } from '../../store/ports.ts';

/** Gathers what several calls of the store could not read, each part once. */
export function createUnreadable() {
  const all = new Map<string, UnreadableLines>();
  const note: OnUnreadable = (lost) => {
    for (const [name, lines] of lost) all.set(name, lines);
  };
  return {
    note,
    /** As it stands in an answer; no field where nothing is lost. */
    fields: (): { unreadable?: UnreadableLines[] } => (all.size === 0 ? {} : { unreadable: [...all.values()] }),
    lines: () => [...all.values()].reduce((sum, { lines }) => sum + lines, 0),
  };
}

import { z } from 'zod';
import type { KnownGroups } from '../alerts/ports.ts';

const groupsSchema = z.object({
  hosts: z.array(z.object({ id: z.string(), name: z.string() })).max(100_000),
  instances: z.array(z.object({ id: z.string(), name: z.string(), host: z.string() })).max(1_000_000),
});
type Groups = z.output<typeof groupsSchema>;

/** A manager that says nothing for so long may have been taken away: its hosts are not expected to say anything then. */
const FORGET_AFTER_MS = 24 * 3_600_000;

/** Hosts and instances of the other managers, as they told last: a rule on silence must know who is there to be silent. */
export function createPeerGroups(monotonicMs: () => number) {
  const heard = new Map<string, { groups: Groups; atMs: number }>();
  let told = '';

  function all(): Groups[] {
    for (const [manager, { atMs }] of heard) if (monotonicMs() - atMs > FORGET_AFTER_MS) heard.delete(manager);
    return [...heard.values()].map(({ groups }) => groups);
  }

  const known: KnownGroups = {
    hosts: () => all().flatMap(({ hosts }) => hosts),
    instances: () => all().flatMap(({ instances }) => instances),
  };

  return {
    known,
    /** Throws on what are no groups. */
    heard: (manager: string, data: unknown) => {
      heard.set(manager, { groups: groupsSchema.parse(data), atMs: monotonicMs() });
    },
    /** Those of this manager, and whether they differ from those that were told last. */
    own(of: KnownGroups): { now: Groups; isNew: boolean } {
      const now: Groups = {
        hosts: of.hosts().map(({ id, name }) => ({ id, name })),
        instances: of.instances().map(({ id, name, host }) => ({ id, name, host })),
      };
      const text = JSON.stringify(now);
      const isNew = text !== told;
      told = text;
      return { now, isNew };
    },
  };
}

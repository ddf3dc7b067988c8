import { WebvirtError } from '../../common/errors.ts';
import { peerUri } from '../../common/pure/migration/peer-uri.ts';
import type { Log } from './log.ts';
import { createSideShell } from './side-shell.ts';
import type { ShellAnswer } from './virsh-answer.ts';
import { createVirshChildren, type VirshOutcome, type VirshRunOptions } from './virsh-children.ts';
import { isUuid, mustWords } from './virsh-words.ts';

/** So many moves at once leave one host; more wait for their turn. */
const MAX_MOVES = 4;
/** virsh keeps two places of its limit for itself. */
const KEPT = 2;

/** What moves say to virsh. They have processes of their own: one that takes an hour must not keep a `start` waiting. */
export interface MigrationVirsh {
  /** A read in a shell of its own. @throws {WebvirtError} libvirt-unavailable, ambiguous, bad-request */
  peek(words: readonly string[], id: string, deadlineMs?: number): Promise<ShellAnswer>;
  /** `virsh … words -- id` to its end, however long that takes. @throws {WebvirtError} like `peek` */
  move(words: readonly string[], id: string, options: VirshRunOptions): Promise<VirshOutcome>;
  /** A read that concerns no instance. */
  host(words: readonly string[], deadlineMs: number): Promise<VirshOutcome>;
  /** `capabilities` of another host's libvirt. @throws {WebvirtError} bad-request for anything but a peer URI. */
  peer(uri: string, deadlineMs: number): Promise<VirshOutcome>;
  stop(): void;
}

export function createMigrationVirsh(
  config: { uri: string; virshPath: string },
  deps: { log: Log; idOf(name: string): string | undefined },
): MigrationVirsh {
  const moves = createVirshChildren({ virshPath: config.virshPath, limit: MAX_MOVES + KEPT });
  const reads = createVirshChildren({ virshPath: config.virshPath, limit: 2 + KEPT });
  const shell = createSideShell({ uri: config.uri, deadlineMs: 5_000 }, { children: reads, log: deps.log });

  function words(list: readonly string[], id: string): string[] {
    if (!isUuid(id)) throw new WebvirtError('bad-request', 'An instance is addressed by its UUID only.');
    if (deps.idOf(id) !== undefined)
      throw new WebvirtError('ambiguous', 'Another instance of this host is named like this UUID; rename it first.');
    return [...mustWords(list), '--', id];
  }

  return {
    peek: async (list, id, deadlineMs) => shell.ask(words(list, id), deadlineMs),
    move: async (list, id, options) => moves.run(['-q', '-c', config.uri, ...words(list, id)], options),
    host: (list, deadlineMs) => reads.run(['-q', '-c', config.uri, ...mustWords(list)], { deadlineMs }),
    async peer(uri, deadlineMs) {
      const checked = peerUri(uri);
      if (checked === null)
        throw new WebvirtError('bad-request', 'This is not the URI of a libvirt that may be called.');
      return reads.run(['-q', '-c', checked, 'capabilities'], { deadlineMs });
    },
    stop: shell.stop,
  };
}

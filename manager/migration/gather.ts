import { WebvirtError } from '../../common/errors.ts';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { MigrationChecks } from '../../common/model/migration.ts';
import { fillPeerUri } from '../../common/pure/migration/peer-uri.ts';
import {
  peerFactsSchema,
  type SourceFacts,
  sourceFactsSchema,
  targetFactsSchema,
} from '../../common/wire/migration.ts';
import { checksOf } from './checks.ts';
import type { MigrationDeps } from './ports.ts';

const FACTS_MS = 12_000;

export interface Options {
  live: boolean;
  tunnelled: boolean;
  copyStorage: boolean;
}

export interface Gathered {
  checks: MigrationChecks;
  /** The URI for virsh, and how the instance was found; null where the checks did not come so far. */
  uri: string | null;
  source: SourceFacts | null;
}

/** Asks both hosts and makes the checks. What cannot be asked becomes a failed check, never an error of the call. */
export function createGather(deps: Pick<MigrationDeps, 'ask' | 'link' | 'inventory'>) {
  /** The template of the URI that each host named last: what it gives is tried while the host is asked again. */
  const templates = new Map<string, string>();

  async function asked<T>(
    schema: { parse(told: unknown): T },
    host: Host,
    args: Record<string, unknown>,
  ): Promise<T | Error> {
    if (!deps.link.connected(host.id)) return new WebvirtError('host-unreachable', 'it does not answer now.');
    try {
      return schema.parse(await deps.ask(host.id, 'migration-facts', args, { deadlineMs: FACTS_MS }));
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  const sourceFacts = (instance: Instance, source: Host) =>
    asked(sourceFactsSchema, source, { side: 'source', instance: instance.id });

  async function gather(
    instance: Instance,
    source: Host,
    target: Host,
    options: Options,
    known: SourceFacts | Error,
  ): Promise<Gathered> {
    const nothing = new Error('nothing was asked, because the other host did not answer');
    const askPeer = (uri: string) => asked(peerFactsSchema, source, { side: 'peer', uri });
    const vain = known instanceof Error || source.id === target.id;
    const guess = vain ? null : fillPeerUri(templates.get(target.id) ?? '', target.address);
    const early = guess === null ? null : askPeer(guess);
    const targetFacts = vain
      ? nothing
      : await asked(targetFactsSchema, target, { side: 'target', instance: instance.id, needs: known.needs });
    const uri = targetFacts instanceof Error ? null : fillPeerUri(targetFacts.peerUri, target.address);
    const peer = uri === null ? nothing : await (uri === guess && early !== null ? early : askPeer(uri));
    if (!(targetFacts instanceof Error)) templates.set(target.id, targetFacts.peerUri);
    const checks = checksOf({ instance, source, target, ...options, sourceFacts: known, targetFacts, peer, uri });
    return {
      uri,
      source: known instanceof Error ? null : known,
      checks: {
        ...{ instance: instance.id, target: target.id, targetName: target.name, live: options.live },
        movable: checks.every(({ verdict }) => verdict !== 'fail'),
        checks,
      },
    };
  }

  return {
    async one(instance: Instance, source: Host, target: Host, options: Options): Promise<Gathered> {
      return gather(instance, source, target, options, await sourceFacts(instance, source));
    },
    /** All other hosts; the source is asked once. */
    async all(
      instance: Instance,
      source: Host,
      targets: readonly Host[],
      options: Options,
    ): Promise<MigrationChecks[]> {
      const known = await sourceFacts(instance, source);
      const found = await Promise.all(targets.map((target) => gather(instance, source, target, options, known)));
      return found.map(({ checks }) => checks);
    },
  };
}

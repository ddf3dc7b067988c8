import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { HostResources } from '../../common/model/resources.ts';
import type { CommandHypervisor } from '../../node-agent/commands/command-hypervisor.ts';
import type { Entry, Outcome } from '../../node-agent/commands/journal-entry.ts';
import type { Procedure, ProcedureCall } from '../../node-agent/commands/procedures/procedure.ts';
import { createClones } from '../../node-agent/resources/clones.ts';
import { createImages } from '../../node-agent/resources/images.ts';
import { createPools } from '../../node-agent/resources/pools.ts';

export const VM = 'aaaaaaaa-0000-4000-8000-00000000000a';

/** Pools and base images in a temporary folder, and procedures called without a journal: real files, no libvirt. */
export function procedureRig() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'webvirt-procedure-')));
  const pool = join(folder, 'pool');
  mkdirSync(pool);
  const instances: AgentInstance[] = [];
  const pools = createPools({ default: pool, missing: join(folder, 'missing') });
  const images = createImages(join(folder, 'images.json'));
  const host: HostResources = {
    ...{ pools: [], images: [], networks: [], domainType: 'qemu', memoryAvailableBytes: 2 ** 32 },
  };
  const resources = { pools, images, clones: createClones(), read: async () => host, changed: async () => undefined };
  return {
    ...{ folder, pool, instances, resources, host },
    hypervisor: { instances: () => instances },
    /**
     * Runs a procedure as the runner does after its own checks; arguments that do not fit are `bad-request`. With `left`,
     * what an earlier life has journalled, it is recovered instead.
     */
    async run(
      procedure: Procedure,
      args: unknown,
      hypervisor: Partial<CommandHypervisor> = {},
      instance = VM,
      left?: Partial<Entry>,
    ): Promise<Outcome> {
      const checked = procedure.args.safeParse(args);
      if (!checked.success)
        return {
          ...{ state: 'failed', error: { code: 'bad-request', message: checked.error.message }, result: null },
          ...{ stderr: null, afterState: null },
        };
      const entry = { opId: 'op-00000001', instance, ...left } as Entry;
      const call: ProcedureCall = {
        ...{ entry, args: checked.data, hypervisor: hypervisor as CommandHypervisor },
        signal: new AbortController().signal,
        why: () => 'It was cancelled.',
        started: () => undefined,
        progress: () => undefined,
        line: () => undefined,
      };
      return left === undefined ? procedure.run(call) : procedure.recover(call);
    },
    stop: () => rmSync(folder, { recursive: true, force: true }),
  };
}
export type ProcedureRig = ReturnType<typeof procedureRig>;

import { WebvirtError } from '../../../common/errors.ts';
import type { Host } from '../../../common/model/host.ts';
import type { Instance } from '../../../common/model/instance.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { presentDaemon, presentVm } from './present.ts';
import { addressParams, daemonListAnswer, vmListAnswer } from './schema.ts';

export interface ListDeps {
  inventory: { hosts(): Host[]; instances(): Instance[] };
}

/** The short read-only calls of the first WebVirt, for scripts that know them. */
export function listRoutes({ inventory }: ListDeps): Route[] {
  const vmsOf = (hosts: readonly Host[]) => {
    const addresses = new Map(hosts.map((host) => [host.id, host.address]));
    return inventory
      .instances()
      .filter((instance) => addresses.has(instance.host))
      .map((instance) => presentVm(instance, addresses.get(instance.host)!));
  };
  const base = { method: 'GET', access: 'member' } as const;
  return [
    defineRoute({
      ...base,
      path: '/list/daemons',
      summary: 'List daemons (short)',
      purpose: 'Names the hosts with an agent and their addresses. The whole truth is in the list of hosts.',
      answer: daemonListAnswer,
      handle: () => inventory.hosts().map(presentDaemon),
    }),
    defineRoute({
      ...base,
      path: '/list/vms',
      summary: 'List virtual machines (short)',
      purpose: 'Names the instances of all hosts with their state. The whole truth is in the list of instances.',
      answer: vmListAnswer,
      handle: () => vmsOf(inventory.hosts()),
    }),
    defineRoute({
      ...base,
      path: '/list/vms/:ip',
      summary: 'List virtual machines of a host (short)',
      purpose: 'Names the instances of the host at an address.',
      params: addressParams,
      answer: vmListAnswer,
      handle({ params: { ip } }) {
        const hosts = inventory.hosts().filter((host) => host.address === ip);
        if (hosts.length === 0) throw new WebvirtError('not-found', `There is no host at ${ip}.`);
        return vmsOf(hosts);
      },
    }),
  ];
}

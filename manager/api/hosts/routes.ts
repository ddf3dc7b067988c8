import { WebvirtError } from '../../../common/errors.ts';
import type { Host } from '../../../common/model/host.ts';
import type { HostResources } from '../../../common/model/resources.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { hostAnswer, hostListAnswer, hostParams, hostResourcesAnswer } from './schema.ts';

export interface HostDeps {
  inventory: {
    hosts(): Host[];
    host(id: string): Host | null | undefined;
  };
  resources: { of(hostId: string): { resources: HostResources } | null };
}

/** The enrolled hosts. */
export function hostRoutes({ inventory, resources }: HostDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/hosts',
      summary: 'List hosts',
      purpose:
        'Lists the enrolled hosts with their state, load and what their agent says of them. A host that does not answer keeps its last known state: it goes from online to stale to lost, and seenMs says since when.',
      access: 'member',
      answer: hostListAnswer,
      live: { on: ['host', 'instance-gone'] },
      handle: () => [...inventory.hosts()].sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/hosts/:id',
      summary: 'Read a host',
      purpose: 'Reads one host.',
      access: 'member',
      params: hostParams,
      answer: hostAnswer,
      live: {
        on: ['host', 'instance-gone'],
        touches: (event, { id }) => [(event as { id: string }).id, (event as { host?: string }).host].includes(id),
      },
      handle({ params: { id } }) {
        const host = inventory.host(id);
        if (host === null || host === undefined) throw new WebvirtError('not-found', `There is no host ${id}.`);
        return host;
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/hosts/:id/resources',
      summary: 'Read what a host has for instances',
      purpose:
        'Pools with their free space, base images, networks and bridges, and the memory that a new instance could be given. While the host does not answer this is the last that it said, and stale is true.',
      access: 'member',
      params: hostParams,
      answer: hostResourcesAnswer,
      errors: ['not-ready'],
      live: {
        on: ['resources', 'host'],
        touches: (event, { id }) => [(event as { id?: string }).id, (event as { host?: string }).host].includes(id),
      },
      handle({ params: { id } }) {
        const host = inventory.host(id);
        if (host === null || host === undefined) throw new WebvirtError('not-found', `There is no host ${id}.`);
        const known = resources.of(id);
        if (known === null) throw new WebvirtError('not-ready', `Host ${host.name} has not said yet what it has.`);
        return { host: id, hostName: host.name, stale: host.state !== 'online', ...known.resources };
      },
    }),
  ];
}

import { WebvirtError } from '../../../common/errors.ts';
import type { Host } from '../../../common/model/host.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { hostAnswer, hostListAnswer, hostParams } from './schema.ts';

export interface HostDeps {
  inventory: {
    hosts(): Host[];
    host(id: string): Host | null | undefined;
  };
}

/** The enrolled hosts. */
export function hostRoutes({ inventory }: HostDeps): Route[] {
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
  ];
}

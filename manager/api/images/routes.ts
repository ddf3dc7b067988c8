import { WebvirtError } from '../../../common/errors.ts';
import type { Host } from '../../../common/model/host.ts';
import type { Job } from '../../../common/model/job.ts';
import type { HostResources } from '../../../common/model/resources.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { forgetQuery, imageJobAnswer, imageListAnswer, imageListQuery, imageParams, registerBody } from './schema.ts';

export interface ImageDeps {
  inventory: { hosts(): Host[]; host(id: string): Host | null | undefined };
  resources: { of(hostId: string): { resources: HostResources } | null };
  commands: {
    dispatch(request: {
      verb: string;
      instance: null;
      host: string;
      args: Record<string, unknown>;
      opId?: string | undefined;
      actor: string;
    }): Job;
  };
}

const REFUSALS = ['not-found', 'host-unreachable', 'op-id-reused', 'journal-full'] as const;

/** Base images: the disks that new instances are thin clones of. Each host keeps a list of its own. */
export function imageRoutes({ inventory, resources, commands }: ImageDeps): Route[] {
  function mustHost(id: string): void {
    if (inventory.host(id) == null) throw new WebvirtError('not-found', `There is no host ${id}.`);
  }

  const imagesOf = ({ id, name, state }: Host) =>
    (resources.of(id)?.resources.images ?? []).map((image) => ({
      ...image,
      ...{ host: id, hostName: name, stale: state !== 'online', usedBy: image.clones ?? 0 },
    }));

  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/images',
      summary: 'List base images',
      purpose:
        'Lists the base images of all hosts, or of one. An image that cannot be used now says why; of a host that does not answer the last known list is shown, and stale is true.',
      access: 'member',
      query: imageListQuery,
      answer: imageListAnswer,
      live: { on: ['resources', 'host'] },
      handle: ({ query: { host } }) =>
        inventory
          .hosts()
          .filter(({ id }) => host === undefined || id === host)
          .flatMap(imagesOf)
          .sort((a, b) => (a.name === b.name ? (a.hostName < b.hostName ? -1 : 1) : a.name < b.name ? -1 : 1)),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/images',
      summary: 'Register a base image',
      purpose:
        'Puts a disk image that lies in a pool of a host on its list of base images. The file must be whole: one that stands on another file, is encrypted, or is not of the given format is refused by the job.',
      access: 'admin',
      body: registerBody,
      answer: imageJobAnswer,
      status: 202,
      errors: REFUSALS,
      example: {
        ...{ host: '0123456789abcdef0123456789abcdef', name: 'debian-12', pool: 'default' },
        ...{ file: 'debian-12.qcow2', format: 'qcow2' },
      },
      handle({ body: { host, opId, ...args }, principal }) {
        mustHost(host);
        return {
          job: commands.dispatch({ verb: 'register-image', instance: null, host, args, opId, actor: principal!.name }),
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/images/:host/:name',
      summary: 'Forget a base image',
      purpose:
        'Takes an image off the list of its host. The file stays where it is, and instances that were made of it go on: their disks stand on that file, so it must not be removed by hand either while there are any.',
      access: 'admin',
      params: imageParams,
      query: forgetQuery,
      answer: imageJobAnswer,
      status: 202,
      errors: REFUSALS,
      handle({ params: { host, name }, query: { opId }, principal }) {
        mustHost(host);
        const args = { name };
        return {
          job: commands.dispatch({ verb: 'forget-image', instance: null, host, args, opId, actor: principal!.name }),
        };
      },
    }),
  ];
}

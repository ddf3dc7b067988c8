import { WebvirtError } from '../../../common/errors.ts';
import type { Action, Instance } from '../../../common/model/instance.ts';
import type { Job } from '../../../common/model/job.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import type { Launches } from '../../launch/launches.ts';
import { runBatch } from './batch.ts';
import { findInstances } from './find.ts';
import {
  actionAnswer,
  actionBody,
  batchAnswer,
  batchBody,
  deleteQuery,
  instanceAnswer,
  instanceListAnswer,
  instanceListQuery,
  instanceParams,
  launchAnswer,
  launchBody,
} from './schema.ts';

export interface InstanceDeps {
  inventory: {
    instances(): Instance[];
    instance(id: string): Instance | null | undefined;
  };
  commands: {
    dispatch(request: {
      verb: string;
      instance: string;
      args: Record<string, unknown>;
      opId?: string | undefined;
      actor: string;
    }): Job;
  };
  launches: Launches;
}

const REFUSALS = ['not-found', 'host-unreachable', 'busy', 'op-id-reused', 'journal-full'] as const;

/** The instances of all hosts, and what can be done with them. */
export function instanceRoutes({ inventory, commands, launches }: InstanceDeps): Route[] {
  const act = (instance: string, verb: Action, opId: string | undefined, actor: string) =>
    commands.dispatch({ verb, instance, args: {}, opId, actor });
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/instances',
      summary: 'List instances',
      purpose:
        'Lists the instances of all hosts in one table, by name. Where a host does not answer, its instances keep their last known state and stale is true.',
      access: 'member',
      query: instanceListQuery,
      answer: instanceListAnswer,
      live: { on: ['instance', 'instance-gone', 'samples'] },
      handle: ({ query }) => findInstances(inventory.instances(), query),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/instances/:id',
      summary: 'Read an instance',
      purpose: 'Reads one instance by its UUID.',
      access: 'member',
      params: instanceParams,
      answer: instanceAnswer,
      live: {
        on: ['instance', 'instance-gone', 'samples'],
        touches: (event, { id }) => ((event as { id?: string }).id ?? id) === id,
      },
      handle({ params: { id } }) {
        const instance = inventory.instance(id);
        if (instance === null || instance === undefined)
          throw new WebvirtError('not-found', `There is no instance ${id}.`);
        return instance;
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/instances',
      summary: 'Launch an instance',
      purpose:
        'Makes a new instance: a thin clone of a base image, defined and started. Answers the job at once, with the host that was chosen, why, and why not the others. Send an opId of your own to make a retry safe.',
      access: 'admin',
      body: launchBody,
      answer: launchAnswer,
      status: 202,
      errors: [...REFUSALS, 'bad-name', 'name-taken', 'no-room', 'libvirt-unavailable', 'not-ready', 'wrong-state'],
      example: { name: 'web-3', base: 'debian-12', vcpus: 1, memoryBytes: 536_870_912, opId: 'launch-web-3' },
      handle: ({ body, principal }) => launches.launch({ ...body, actor: principal!.name }),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/instances/:id',
      summary: 'Delete an instance',
      purpose:
        'Removes an instance with those of its disks that were made for it by a launch; any other disk stays where it is. Its name must be given beside its id. One that runs is refused unless force is true.',
      access: 'admin',
      params: instanceParams,
      query: deleteQuery,
      answer: actionAnswer,
      status: 202,
      errors: [...REFUSALS, 'bad-name', 'wrong-state'],
      handle: ({ params: { id }, query: { name, force, opId }, principal }) => ({
        job: launches.remove({ id, name, force, opId, actor: principal!.name }),
      }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/instances/:id/actions',
      summary: 'Act on an instance',
      purpose:
        'Begins one operation and answers its job at once; the outcome, the lines and the new state come on the live road. Send an opId of your own to make a retry safe.',
      access: 'admin',
      params: instanceParams,
      body: actionBody,
      answer: actionAnswer,
      status: 202,
      errors: REFUSALS,
      example: { action: 'start', opId: 'nightly-start-web1' },
      handle: ({ params, body, principal }) => ({ job: act(params.id, body.action, body.opId, principal!.name) }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/instances/actions',
      summary: 'Act on several instances',
      purpose:
        'Begins one operation on each of the given instances. Each gets a job of its own; what was refused is named with its reason and does not stop the others.',
      access: 'admin',
      body: batchBody,
      answer: batchAnswer,
      status: 202,
      errors: REFUSALS,
      example: { ids: ['6f1e5c1a-9d0a-4c6e-8a3b-0d3c2b1a4f5e'], action: 'shutdown', opId: 'evening-shutdown-1' },
      handle: ({ body: { ids, action, opId }, principal }) =>
        runBatch(ids, opId, (id, derived) => act(id, action, derived, principal!.name)),
    }),
  ];
}

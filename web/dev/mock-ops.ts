// Launch, delete, move and base images of the pretended manager: each is a job that tells how far it is.
import { randomUUID } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { MockState } from './mock-api.ts';
import { job } from './mock-data.ts';
import { begin, cancel, end, run, told } from './mock-jobs.ts';
import { checksFor, migrate } from './mock-moves.ts';
import { createResources } from './mock-resources.ts';

const GIB = 1024 ** 3;
type Body = Record<string, unknown>;
type Answer = { status: number; data: unknown } | null;

function launch(state: MockState, body: Body): Answer {
  const { world } = state;
  const known = world.jobs.find(({ id }) => id === body['opId']);
  const images = world.images.filter(({ name }) => name === body['base']);
  if (images.length === 0) throw new WebvirtError('not-found', `No host has a base image ${String(body['base'])}.`);
  if (body['name'] === 'taken-elsewhere')
    throw new WebvirtError('name-taken', 'The name taken-elsewhere was taken a moment ago on fir.');
  const able = world.hosts.filter((host) => host.state === 'online' && images.some((image) => image.host === host.id));
  const host = able.find(({ id }) => id === body['host']) ?? able[0]!;
  const placement = {
    ...{
      host: host.id,
      hostName: host.name,
      reason: body['host'] ? 'You chose it.' : 'It has the most free memory: 48 GiB of 64 GiB.',
    },
    passed: able
      .filter((one) => one !== host)
      .map((one) => ({ host: one.id, hostName: one.name, reason: 'Less free memory.' })),
  };
  if (known !== undefined) return { status: 202, data: { job: known, placement } };
  const memoryBytes = Number(body['memoryBytes']);
  const instance: Instance = {
    ...{
      id: randomUUID(),
      name: String(body['name']),
      state: 'running',
      stateReason: 'booted',
      vcpus: Number(body['vcpus']),
    },
    ...{ memoryBytes, autostart: body['autostart'] === true, persistent: true, disks: [], nics: [] },
    ...{
      host: host.id,
      hostName: host.name,
      hostState: 'online',
      stale: false,
      changedMs: Date.now(),
      load: null,
      busyJob: null,
    },
  };
  instance.disks = [
    { target: 'vda', device: 'disk', format: 'qcow2', source: `/var/lib/webvirt/images/${instance.id}.qcow2` },
  ];
  const begun = { ...job('launch', 'running', instance, Date.now(), {}), id: String(body['opId']), placement };
  const made = begin(state, begun);
  told(state, made, '', 'manager', 'placement chosen');
  const steps = ['makes the disk', 'defines the instance', 'starts it'];
  run(state, made, (elapsedMs) => {
    const step = Math.floor((elapsedMs / state.jobMs) * steps.length);
    if (step >= steps.length) {
      if (instance.name.startsWith('fails')) {
        const message = 'Could not start: internal error: process exited while connecting to monitor.';
        return end(state, made, { state: 'failed', error: { code: 'libvirt-failed', message } });
      }
      world.instances.push(instance);
      return end(state, made, { state: 'done', result: {} });
    }
    made.detail = { phase: steps[step]!, elapsedMs };
    made.progress = step / steps.length;
    told(state, made, host.id, 'agent', steps[step]!);
  });
  return { status: 202, data: { job: made, placement } };
}

function remove(state: MockState, instance: Instance, given: Record<string, string | undefined>): Answer {
  if (given['name'] !== instance.name)
    throw new WebvirtError('bad-name', `This is not its name: it is ${instance.name}.`);
  if (instance.state === 'running' && given['force'] !== 'true') throw new WebvirtError('wrong-state', 'It runs.');
  const made = begin(state, { ...job('delete', 'running', instance, Date.now(), {}), id: given['opId']! });
  run(state, made, () => {
    state.world.instances.splice(state.world.instances.indexOf(instance), 1);
    end(state, made, { state: 'done', result: {} });
  });
  return { status: 202, data: { job: made } };
}

function imageJob(state: MockState, verb: string, body: Body, apply: () => void, fails: boolean): Answer {
  const host = state.world.hosts.find(({ id }) => id === body['host'])!;
  const blank = { ...state.world.instances[0]!, host: host.id, hostName: host.name };
  const more = { instance: null, instanceName: null };
  const made = begin(state, { ...job(verb, 'running', blank, Date.now(), more), id: String(body['opId']) });
  run(state, made, () => {
    if (fails)
      return end(state, made, {
        state: 'failed',
        error: {
          code: 'not-found',
          message: `There is no file ${String(body['file'])} in the pool ${String(body['pool'])}.`,
        },
      });
    apply();
    end(state, made, { state: 'done', result: {} });
    state.changed(`/api/v1/hosts/${host.id}/resources`);
  });
  return { status: 202, data: { job: made } };
}

function register(state: MockState, body: Body): Answer {
  const host = state.world.hosts.find(({ id }) => id === body['host'])!;
  const add = () =>
    void state.world.images.push({
      ...{
        name: String(body['name']),
        pool: String(body['pool']),
        path: `/var/lib/webvirt/images/${String(body['file'])}`,
      },
      ...{ format: body['format'] as 'qcow2', virtualBytes: 5 * GIB, fileBytes: GIB, registeredMs: Date.now() },
      ...{ host: host.id, hostName: host.name, stale: false, usedBy: 0 },
    });
  return imageJob(state, 'register-image', body, add, String(body['file']).includes('missing'));
}

/** Answers what is an operation, or null. */
export function answerOps(
  state: MockState,
  method: string,
  path: string,
  given: Record<string, string | undefined>,
  body: Body,
): Answer {
  const { world } = state;
  const [, noun, id, word, more] = /^\/api\/v1\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?(?:\/(\w+))?$/.exec(path) ?? [];
  const instance = world.instances.find((one) => one.id === id);
  if (method === 'POST' && path === '/api/v1/instances') return launch(state, body);
  if (method === 'DELETE' && noun === 'instances' && instance) return remove(state, instance, given);
  if (word === 'migrate' && instance) {
    if (more === 'targets') return { status: 200, data: checksFor(state, instance, given) };
    if (method === 'POST') return migrate(state, instance, body);
  }
  if (method === 'POST' && path === '/api/v1/images') return register(state, body);
  if (method === 'DELETE' && noun === 'images') {
    const at = world.images.findIndex((one) => one.host === id && one.name === word);
    return imageJob(state, 'forget-image', { ...given, host: id }, () => void world.images.splice(at, 1), false);
  }
  if (method === 'DELETE' && noun === 'jobs') {
    const made = world.jobs.find((one) => one.id === id);
    if (made === undefined || !cancel(state, made)) throw new WebvirtError('wrong-state', 'It has ended already.');
    return { status: 202, data: { job: made } };
  }
  return null;
}

/** What stands at an address of resources, or null. */
export function readResources(state: Pick<MockState, 'world'>, uri: string): unknown {
  const id = /^\/api\/v1\/hosts\/([^/]+)\/resources$/.exec(uri)?.[1];
  const index = state.world.hosts.findIndex((host) => host.id === id);
  return index < 0 ? null : createResources(state.world.hosts[index]!, index, state.world.images);
}

import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job, Placement } from '../../common/model/job.ts';
import { instanceNameFault } from '../../common/pure/instance-name.ts';
import type { Commands } from '../commands/commands.ts';
import { newOpId } from '../commands/job-record.ts';
import type { CommandLog } from '../commands/ports.ts';
import type { KnownResources } from './host-resources.ts';
import { instanceIdOf } from './instance-id.ts';
import { choosePlace, type PlaceCandidate, placeFault } from './placement.ts';

export interface LaunchRequest {
  name: string;
  base: string;
  host?: string | undefined;
  vcpus: number;
  memoryBytes: number;
  diskBytes?: number | undefined;
  network?: string | undefined;
  autostart?: boolean | undefined;
  opId?: string | undefined;
  actor: string;
}

export interface LaunchesDeps {
  inventory: {
    hosts(): Host[];
    host(id: string): Host | null;
    instances(): Instance[];
    instance(id: string): Instance | null;
  };
  commands: Pick<Commands, 'dispatch' | 'get' | 'list'>;
  resources: Pick<KnownResources, 'of'>;
  log: Pick<CommandLog, 'info' | 'warn'>;
}

export interface Launches {
  /**
   * Begins to make an instance and answers at once. Errors: `bad-name`, `name-taken`, `not-found` (base, host, network),
   * `no-room`, `host-unreachable`, and those of `dispatch`. After none of them was anything done.
   */
  launch(request: LaunchRequest): { job: Job; placement: Placement };
  /** Begins to delete one, after its name was typed. Errors: `not-found`, `bad-name`, `wrong-state`, those of `dispatch`. */
  remove(request: { id: string; name: string; force: boolean; opId?: string | undefined; actor: string }): Job;
}

const MEBIBYTE = 1024 * 1024;
const LIMIT_REMEMBERED = 10_000;
const OFF: readonly Instance['state'][] = ['shutoff', 'saved', 'crashed'];

export function createLaunches({ inventory, commands, resources, log }: LaunchesDeps): Launches {
  /** By job: what was promised to it at its host. */
  const promised = new Map<string, { host: string; memoryBytes: number }>();

  /** Memory of what is being made at a host, until the host itself has counted it. */
  function promisedBytes(hostId: string): number {
    const receivedMs = resources.of(hostId)?.receivedMs ?? 0;
    let sum = 0;
    for (const [id, { host, memoryBytes }] of promised) {
      if (host !== hostId) continue;
      const job = commands.get(id);
      const counted = job === null || (job.endedMs !== null && job.endedMs < receivedMs);
      if (job === null || job.state === 'failed' || job.state === 'cancelled' || (job.state === 'done' && counted))
        promised.delete(id);
      // One whose outcome is not known may speak again; a host that has told since then has counted what there is.
      else if (!counted) sum += memoryBytes;
    }
    return sum;
  }

  const candidate = (host: Host): PlaceCandidate => ({
    host,
    resources: resources.of(host.id)?.resources ?? null,
    promisedBytes: promisedBytes(host.id),
  });

  function mustBeFree(name: string): void {
    const same = (other: string | null) => other?.toLowerCase() === name.toLowerCase();
    const holder = inventory.instances().find((instance) => same(instance.name));
    if (holder !== undefined)
      throw new WebvirtError('name-taken', `There is an instance ${holder.name} already, on host ${holder.hostName}.`, {
        instance: holder.id,
      });
    // One whose outcome is not known may still turn out to have taken the name.
    for (const state of ['planned', 'running', 'unknown']) {
      const job = commands
        .list({ limit: LIMIT_REMEMBERED, state })
        .find(({ verb, instanceName, host }) => verb === 'launch' && same(instanceName) && !isSettled(state, host));
      if (job !== undefined)
        throw new WebvirtError('name-taken', `Job ${job.id} is making an instance ${name} on ${job.hostName}.`, {
          holder: job.id,
        });
    }
  }

  /** A host that answers has told which instances it has: an unknown launch there holds no name any more. */
  function isSettled(state: string, host: string | null): boolean {
    return state === 'unknown' && host !== null && inventory.host(host)?.state === 'online';
  }

  function place(request: LaunchRequest & { memoryBytes: number }): Placement {
    if (request.host === undefined) {
      const found = choosePlace(inventory.hosts().map(candidate), request);
      if ('code' in found) throw new WebvirtError(found.code, found.reason);
      return found;
    }
    const host = inventory.host(request.host);
    if (host === null) throw new WebvirtError('not-found', `There is no host ${request.host}.`);
    const fault = placeFault(candidate(host), request);
    if (fault !== null)
      throw new WebvirtError(fault.code, `It cannot be made on ${host.name}: ${fault.reason}.`, { host: host.id });
    return { host: host.id, hostName: host.name, reason: 'you chose this host', passed: [] };
  }

  function dispatch(request: LaunchRequest, opId: string, host: string, placement?: Placement): Job {
    const { name, base, vcpus, memoryBytes, diskBytes, network, autostart = false, actor } = request;
    const optional = {
      ...(diskBytes === undefined ? {} : { diskBytes }),
      ...(network === undefined ? {} : { network }),
    };
    const args = { name, base, vcpus, memoryBytes, autostart, ...optional };
    return commands.dispatch({
      verb: 'launch',
      instance: instanceIdOf(opId),
      creates: { name },
      ...(placement === undefined ? {} : { placement }),
      host,
      args,
      opId,
      actor,
    });
  }

  /** The same call again: the job it made, wherever that was placed; another call under this opId is refused. */
  function replay(request: LaunchRequest, existing: Job): { job: Job; placement: Placement } {
    const job = dispatch(request, existing.id, request.host ?? existing.host ?? '');
    const { host, hostName } = existing;
    const reason = 'it was placed there when it was first asked for';
    const forgotten = { host: host ?? '', hostName: hostName ?? '', reason, passed: [] };
    return { job, placement: job.placement ?? forgotten };
  }

  function promise(id: string, host: string, memoryBytes: number): void {
    promised.set(id, { host, memoryBytes });
    const [oldest] = promised.keys();
    if (promised.size > LIMIT_REMEMBERED && oldest !== undefined) promised.delete(oldest);
  }

  /** A refusal of ours is on the record; one of `dispatch` is there already. */
  function audited<T>(
    what: { verb: string; opId?: string | undefined; actor: string; name: string },
    check: () => T,
  ): T {
    try {
      return check();
    } catch (error) {
      if (isWebvirtError(error))
        log.warn('Operation was refused', { source: 'audit', ...what, code: error.code, ...error.details });
      throw error;
    }
  }

  /** Decides where; throws what keeps it from being made. */
  function decide(request: LaunchRequest): { opId: string; placement: Placement } {
    mustBeFree(request.name);
    const opId = request.opId ?? newOpId();
    if (inventory.instance(instanceIdOf(opId)) !== null)
      throw new WebvirtError('op-id-reused', 'There is an instance already that was made under this opId.');
    return { opId, placement: place(request) };
  }

  function mustBeDeletable(id: string, name: string, force: boolean): void {
    const instance = inventory.instance(id);
    if (instance === null) throw new WebvirtError('not-found', `There is no instance ${id}.`);
    if (instance.name !== name)
      throw new WebvirtError('bad-name', 'The name that was typed is not the name of this instance; nothing was done.');
    if (!force && !instance.stale && !OFF.includes(instance.state))
      throw new WebvirtError(
        'wrong-state',
        `${name} is ${instance.state}. Switch it off first, or delete it by force.`,
      );
  }

  return {
    launch(asked) {
      const { name, opId: asOpId, actor, diskBytes } = asked;
      const sizes = { memoryBytes: wholeMib(asked.memoryBytes), diskBytes: diskBytes && wholeMib(diskBytes) };
      const request = { ...asked, ...sizes };
      const what = { verb: 'launch', opId: asOpId, actor, name };
      audited(what, () => {
        const fault = instanceNameFault(name);
        if (fault !== null) throw new WebvirtError('bad-name', `This name is not allowed: ${fault}.`);
      });
      const existing = asOpId === undefined ? null : commands.get(asOpId);
      if (existing !== null) return replay(request, existing);
      const { opId, placement } = audited(what, () => decide(request));
      const job = dispatch(request, opId, placement.host, placement);
      promise(job.id, placement.host, request.memoryBytes);
      const { host, hostName, reason } = placement;
      const { id, instance } = job;
      log.info('A host was chosen for a new instance', { job: id, instance, name, host, hostName, reason });
      return { job, placement };
    },
    remove({ id, name, force, opId, actor }) {
      // A retry comes when the instance is gone.
      if (opId === undefined || commands.get(opId) === null)
        audited({ verb: 'delete', opId, actor, name }, () => mustBeDeletable(id, name, force));
      return commands.dispatch({ verb: 'delete', instance: id, args: { force }, opId, actor });
    },
  };
}

function wholeMib(bytes: number): number {
  return Math.ceil(bytes / MEBIBYTE) * MEBIBYTE;
}

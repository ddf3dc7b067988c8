import { WebvirtError } from '../../common/errors.ts';
import type { Job } from '../../common/model/job.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { request } from '../net/request.ts';
import { ask, canAsk } from '../show/ask.ts';
import type { CliCommand } from './command.ts';
import { follow, jobIdOf } from './follow.ts';
import { resolveHost, resolveInstance } from './resolve.ts';
import { countFlag, mustFlag, newOpId, sizeFlag, textFlag } from './values.ts';

const DEFAULT_MEMORY_BYTES = 512 * 2 ** 20;
const PASSED_SHOWN = 5;

interface Launched {
  job: string | Job;
  placement: {
    hostName: string;
    reason: string;
    passed: { hostName: string; reason: string }[];
  };
}

export const launch: CliCommand = {
  words: ['launch'],
  usage:
    'webvirt launch NAME --base IMAGE [--host H] [--vcpus N] [--memory SIZE] [--disk SIZE] [--network N] [--autostart]',
  summary:
    'Make and start an instance: a thin clone of a base image. Without --host the manager chooses one and says why.',
  flags: {
    base: { type: 'string', describe: 'base image (webvirt images)' },
    host: { type: 'string', describe: 'name, address or id of the host that gets it' },
    vcpus: { type: 'string', describe: 'virtual CPUs (1)' },
    memory: { type: 'string', describe: 'memory, such as 256MiB (512MiB)' },
    disk: { type: 'string', describe: 'size of its disk (that of the base image)' },
    network: { type: 'string', describe: 'network of libvirt, or bridge of the host (none)' },
    autostart: { type: 'boolean', describe: 'start it with its host' },
    'no-wait': { type: 'boolean', describe: 'print the job and return' },
  },
  async run(call) {
    const [name, ...more] = call.args;
    if (name === undefined || more.length > 0) throw new WebvirtError('bad-request', `Usage: ${launch.usage}`);
    const host = textFlag(call, 'host');
    const network = textFlag(call, 'network');
    const diskBytes = sizeFlag(call, 'disk');
    const body = {
      name,
      base: mustFlag(call, 'base', launch.usage),
      vcpus: countFlag(call, 'vcpus') ?? 1,
      memoryBytes: sizeFlag(call, 'memory') ?? DEFAULT_MEMORY_BYTES,
      autostart: call.flags['autostart'] === true,
      opId: newOpId(),
      ...(host === undefined ? {} : { host: (await resolveHost(call.config, host)).id }),
      ...(network === undefined ? {} : { network }),
      ...(diskBytes === undefined ? {} : { diskBytes }),
    };
    const { job, placement } = await request<Launched>(call.config, 'POST', '/api/v1/instances', body);
    if (!call.json) {
      call.note(`on ${visibleText(placement.hostName)}: ${visibleText(placement.reason)}`);
      for (const other of placement.passed.slice(0, PASSED_SHOWN)) {
        call.note(`  not ${visibleText(other.hostName)}: ${visibleText(other.reason)}`);
      }
      const rest = placement.passed.length - PASSED_SHOWN;
      if (rest > 0) call.note(`  nor ${rest} other ${rest === 1 ? 'host' : 'hosts'}`);
    }
    return follow(call, jobIdOf(job), () => `on ${visibleText(placement.hostName)}`);
  },
};

export const remove: CliCommand = {
  words: ['delete'],
  usage: 'webvirt delete NAME-OR-UUID [--yes NAME] [--force]',
  summary: 'Delete an instance with its own disks. Its name must be given twice; base images and foreign disks stay.',
  flags: {
    yes: { type: 'string', describe: 'its name once more; without it the terminal asks' },
    force: { type: 'boolean', describe: 'pull the plug first when it runs' },
    'no-wait': { type: 'boolean', describe: 'print the job and return' },
  },
  async run(call) {
    const [wanted, ...more] = call.args;
    if (wanted === undefined || more.length > 0) throw new WebvirtError('bad-request', `Usage: ${remove.usage}`);
    const instance = await resolveInstance(call.config, wanted);
    const where = `${visibleText(instance.name)} (${instance.state}) on ${visibleText(instance.hostName)}`;
    const typed =
      textFlag(call, 'yes') ?? (canAsk() ? await ask(`Delete ${where} and its disks? Type its name: `) : '');
    if (typed !== instance.name) {
      throw new WebvirtError(
        'bad-request',
        `Nothing was deleted: to delete ${where}, its name must be given with --yes.`,
      );
    }
    const query = new URLSearchParams({ name: typed, opId: newOpId() });
    if (call.flags['force'] === true) query.set('force', 'true');
    const answer = await request<{ job: string | Job }>(
      call.config,
      'DELETE',
      `/api/v1/instances/${instance.id}?${query}`,
    );
    return follow(call, jobIdOf(answer.job));
  },
};

import { WebvirtError } from '../../common/errors.ts';
import type { Job } from '../../common/model/job.ts';
import { IMAGE_FORMATS } from '../../common/model/words.ts';
import { request } from '../net/request.ts';
import type { CliCall, CliCommand } from './command.ts';
import { follow, jobIdOf } from './follow.ts';
import { ls } from './ls.ts';
import { resolveHost } from './resolve.ts';
import { mustFlag, newOpId, textFlag } from './values.ts';

export const images: CliCommand = {
  words: ['images'],
  usage:
    'webvirt images | webvirt images register NAME --host H --pool P --file F [--format F] [--kernel F --initrd F --cmdline C] | webvirt images forget NAME --host H',
  summary:
    'List the base images of all hosts, or put a file that lies in a pool on the list of a host, or take it off.',
  flags: {
    host: { type: 'string', describe: 'name, address or id of the host' },
    pool: { type: 'string', describe: 'pool of the host (pools: in its agent’s configuration)' },
    file: { type: 'string', describe: 'the disk, relative to the pool' },
    format: { type: 'string', describe: `${IMAGE_FORMATS.join(' or ')} (qcow2)` },
    kernel: { type: 'string', describe: 'kernel to boot directly, relative to the pool' },
    initrd: { type: 'string', describe: 'its initial file system, relative to the pool' },
    cmdline: { type: 'string', describe: 'its command line' },
    'no-wait': { type: 'boolean', describe: 'print the job and return' },
  },
  async run(call) {
    const [word, name, ...more] = call.args;
    if (word === undefined) return ls.run({ ...call, args: ['images'] });
    if (name === undefined || more.length > 0) throw new WebvirtError('bad-request', `Usage: ${images.usage}`);
    if (word === 'register') return register(call, name);
    if (word === 'forget') return forget(call, name);
    throw new WebvirtError('bad-request', `webvirt images knows register and forget, not "${word}".`);
  },
};

async function register(call: CliCall, name: string): Promise<number> {
  const host = await resolveHost(call.config, mustFlag(call, 'host', images.usage));
  const boot = Object.fromEntries(
    ['kernel', 'initrd', 'cmdline'].flatMap((key) => {
      const value = textFlag(call, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
  const body = {
    host: host.id,
    name,
    pool: mustFlag(call, 'pool', images.usage),
    file: mustFlag(call, 'file', images.usage),
    format: textFlag(call, 'format') ?? 'qcow2',
    ...boot,
    opId: newOpId(),
  };
  const answer = await request<{ job: string | Job }>(call.config, 'POST', '/api/v1/images', body);
  return follow(call, jobIdOf(answer.job));
}

async function forget(call: CliCall, name: string): Promise<number> {
  const host = await resolveHost(call.config, mustFlag(call, 'host', images.usage));
  const path = `/api/v1/images/${host.id}/${encodeURIComponent(name)}?opId=${newOpId()}`;
  const answer = await request<{ job: string | Job }>(call.config, 'DELETE', path);
  return follow(call, jobIdOf(answer.job), () => 'its file stays, and instances that were made of it go on');
}

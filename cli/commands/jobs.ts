import { WebvirtError } from '../../common/errors.ts';
import type { CliCall, CliCommand } from './command.ts';
import { cancelJob, follow } from './follow.ts';

function oneJob(call: CliCall, usage: string): string {
  if (call.args.length !== 1) throw new WebvirtError('bad-request', `Usage: ${usage}`);
  return call.args[0]!;
}

export const watch: CliCommand = {
  words: ['watch'],
  usage: 'webvirt watch JOB-ID',
  summary: 'Follow a job that is under way, with its numbers, to its end.',
  run: (call) => follow(call, oneJob(call, watch.usage)),
};

export const cancel: CliCommand = {
  words: ['cancel'],
  usage: 'webvirt cancel JOB-ID [--no-wait]',
  summary: 'Ask the host to stop a job, and wait for what becomes of it.',
  async run(call) {
    const id = oneJob(call, cancel.usage);
    await cancelJob(call, id);
    await follow(call, id);
    // What was asked for is done when it has ended, however it ended.
    return 0;
  },
};

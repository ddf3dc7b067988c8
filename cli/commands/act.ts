import { randomBytes } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import { ACTIONS } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import { request } from '../net/request.ts';
import { connect } from '../net/socket.ts';
import { watchJob } from '../net/watch-job.ts';
import { outcomeText } from '../show/job.ts';
import { jsonText } from '../show/json-text.ts';
import type { CliCall, CliCommand } from './command.ts';
import { jobIdOf } from './follow.ts';
import { resolveInstance } from './resolve.ts';

export const act: CliCommand = {
  words: ACTIONS,
  usage: `webvirt ${ACTIONS.join('|')} NAME-OR-UUID… [--no-wait]`,
  summary: 'Act on instances and wait for the outcome; the exit code is 0 only when all are done.',
  flags: { 'no-wait': { type: 'boolean', describe: 'return as soon as the jobs are accepted' } },
  async run(call) {
    if (call.args.length === 0)
      throw new WebvirtError('bad-request', `webvirt ${call.word} needs the name or UUID of an instance.`);
    // All names are resolved before anything is done: a mistyped one stops the whole command.
    const instances = [];
    for (const name of call.args) instances.push(await resolveInstance(call.config, name));
    const jobs: string[] = [];
    for (const instance of instances) {
      const opId = randomBytes(12).toString('hex');
      const body = { action: call.word, opId };
      const { job } = await request<{ job: string | Job }>(
        call.config,
        'POST',
        `/api/v1/instances/${instance.id}/actions`,
        body,
      );
      jobs.push(jobIdOf(job));
    }
    if (call.flags['no-wait'] === true) {
      call.out(call.json ? jsonText(jobs) : jobs.join('\n'));
      return 0;
    }
    const outcomes = await outcomesOf(call, jobs);
    for (const job of outcomes) report(call, job);
    return outcomes.every((job) => job.state === 'done') ? 0 : 1;
  },
};

/** Waits for jobs on the live road: the outcome arrives by push. */
async function outcomesOf({ config, signal }: CliCall, ids: string[]): Promise<Job[]> {
  const socket = await connect(config);
  try {
    return await Promise.all(
      ids.map(async (id) => {
        const job = await watchJob(socket, config, id, { signal });
        if (job === null) throw new WebvirtError('op-cancelled', `Not waiting any longer; job ${id} goes on.`);
        return job;
      }),
    );
  } finally {
    socket.close();
  }
}

function report(call: CliCall, job: Job): void {
  if (call.json) call.out(jsonText(job));
  else if (job.state === 'done') call.out(outcomeText(job));
  else call.note(outcomeText(job));
}

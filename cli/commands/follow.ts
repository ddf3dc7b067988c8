import { isWebvirtError } from '../../common/errors.ts';
import type { Job } from '../../common/model/job.ts';
import { request } from '../net/request.ts';
import { connect } from '../net/socket.ts';
import { watchJob } from '../net/watch-job.ts';
import { ask, canAsk } from '../show/ask.ts';
import { outcomeText, progressText } from '../show/job.ts';
import { jsonText } from '../show/json-text.ts';
import { createLiveLine } from '../show/live-line.ts';
import type { CliCall } from './command.ts';

/** What a job answers that was accepted: some calls tell its id, some the whole of it. */
export const jobIdOf = (job: string | Pick<Job, 'id'>) => (typeof job === 'string' ? job : job.id);

/**
 * Follows a job to its end with its progress on one line, and prints how it ended. Ctrl-C asks whether to cancel it or to
 * let it go on (the default, also where nobody can be asked); it never ends a job by itself.
 * @param more what is said behind a good end
 * @returns the exit code: 0 only when it is done
 */
export async function follow(call: CliCall, id: string, more: (job: Job) => string = () => ''): Promise<number> {
  if (call.flags['no-wait'] === true) {
    call.out(call.json ? jsonText({ job: id }) : id);
    return 0;
  }
  const line = createLiveLine(process.stderr);
  const socket = await connect(call.config);
  try {
    const onChange = (job: Job) => {
      if (!call.json && job.detail !== undefined) line.show(progressText(job), job.detail.phase);
    };
    let job = await watchJob(socket, call.config, id, { signal: call.signal, onChange });
    line.clear();
    if (job === null && (await wantsCancel(call, id))) {
      job = await watchJob(socket, call.config, id, { signal: new AbortController().signal, onChange });
      line.clear();
    }
    if (job === null) {
      call.note(`It goes on as job ${id}. To see it: webvirt watch ${id}   To cancel it: webvirt cancel ${id}`);
      return 1;
    }
    if (call.json) call.out(jsonText(job));
    else if (job.state === 'done') call.out(outcomeText(job, more(job)));
    else call.note(outcomeText(job));
    return job.state === 'done' ? 0 : 1;
  } finally {
    line.clear();
    socket.close();
  }
}

/** Asks after a Ctrl-C. True when the job was asked to stop; what becomes of it is told by the job. */
async function wantsCancel(call: CliCall, id: string): Promise<boolean> {
  if (!canAsk()) return false;
  const answer = await ask(`\nCancel job ${id}, or let it go on? [c = cancel, Enter = go on] `);
  if (!/^c(ancel)?$/i.test(answer)) return false;
  await cancelJob(call, id);
  return true;
}

/** Asks the host to stop a job. One that has ended meanwhile is no error. */
export async function cancelJob(call: CliCall, id: string): Promise<void> {
  try {
    await request(call.config, 'DELETE', `/api/v1/jobs/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!isWebvirtError(error, 'wrong-state')) throw error;
    call.note(error.message);
  }
}

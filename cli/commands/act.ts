import { randomBytes } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import { ACTIONS } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import type { CliConfig } from '../config.ts';
import { request } from '../net/request.ts';
import { answerOf, connect, type LiveSocket } from '../net/socket.ts';
import { jsonText } from '../show/json-text.ts';
import type { CliCall, CliCommand } from './command.ts';
import { resolveInstance } from './resolve.ts';

const FINAL = new Set(['done', 'failed', 'cancelled', 'unknown']);

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
      jobs.push(typeof job === 'string' ? job : job.id);
    }
    if (call.flags['no-wait'] === true) {
      call.out(call.json ? jsonText(jobs) : jobs.join('\n'));
      return 0;
    }
    const outcomes = await outcomesOf(call.config, jobs, call.signal);
    for (const job of outcomes) report(call, job);
    return outcomes.every((job) => job.state === 'done') ? 0 : 1;
  },
};

/** Waits for jobs on the live road: the outcome arrives by push. */
async function outcomesOf(config: CliConfig, ids: string[], signal: AbortSignal): Promise<Job[]> {
  const socket = await connect(config);
  try {
    return await Promise.all(ids.map((id) => outcomeOf(socket, config, id, signal)));
  } finally {
    socket.close();
  }
}

function outcomeOf(socket: LiveSocket, config: CliConfig, id: string, signal: AbortSignal): Promise<Job> {
  const uri = `/api/v1/jobs/${id}`;
  return new Promise((resolve, reject) => {
    const look = (job: Job) => {
      if (FINAL.has(job.state)) resolve(job);
    };
    const subscribe = () =>
      answerOf<{ body: unknown }>((ack) => socket.emit('subscribe', { uri }, ack)).then(
        ({ body }) => look(body as Job),
        reject,
      );
    socket.on('change', (change) => {
      // A change is a hint here: the job is read whole.
      if (change.uri === uri) request<Job>(config, 'GET', uri).then(look, reject);
    });
    socket.on('connect', subscribe);
    signal.addEventListener('abort', () =>
      reject(new WebvirtError('op-cancelled', `Not waiting any longer; job ${id} goes on.`)),
    );
    subscribe();
  });
}

function report(call: CliCall, job: Job): void {
  if (call.json) {
    call.out(jsonText(job));
    return;
  }
  const name = visibleText(job.instanceName ?? job.instance ?? '');
  const took =
    job.endedMs === null ? '' : ` in ${((job.endedMs - (job.startedMs ?? job.createdMs)) / 1000).toFixed(2)} s`;
  if (job.state === 'done') call.out(`${job.verb} ${name}: done${took}`);
  else
    call.note(
      `${job.verb} ${name}: ${job.state}. ${visibleText(job.error?.message ?? '')} (webvirt logs --job ${job.id})`,
    );
}

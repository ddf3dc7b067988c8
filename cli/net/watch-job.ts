import type { Job } from '../../common/model/job.ts';
import type { CliConfig } from '../config.ts';
import { request } from './request.ts';
import { answerOf, type LiveSocket } from './socket.ts';

const FINAL = new Set(['done', 'failed', 'cancelled', 'unknown']);

export const hasEnded = (job: Job) => FINAL.has(job.state);

/**
 * Follows a job on the live road until it has ended: its outcome arrives by push. `onChange` gets it as it goes.
 * Resolves with its last state, or with null when `signal` aborts before; rejects when it cannot be read.
 */
export function watchJob(
  socket: LiveSocket,
  config: CliConfig,
  id: string,
  { signal, onChange = () => {} }: { signal: AbortSignal; onChange?: (job: Job) => void },
): Promise<Job | null> {
  const uri = `/api/v1/jobs/${id}`;
  return new Promise((resolve, reject) => {
    let over = false;
    const end = (finish: () => void) => {
      if (over) return;
      over = true;
      socket.off('change', onHint);
      socket.off('connect', subscribe);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const fail = (error: Error) => end(() => reject(error));
    const look = (job: Job) => {
      if (over) return;
      onChange(job);
      if (hasEnded(job)) end(() => resolve(job));
    };
    const onHint = (change: { uri: string }) => {
      // A change is a hint here: the job is read whole.
      if (change.uri === uri) request<Job>(config, 'GET', uri).then(look, fail);
    };
    const subscribe = () => {
      const asked = answerOf<{ body: unknown }>((ack) => socket.emit('subscribe', { uri }, ack));
      asked.then(({ body }) => look(body as Job), fail);
    };
    const onAbort = () => end(() => resolve(null));
    socket.on('change', onHint);
    socket.on('connect', subscribe);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else subscribe();
  });
}

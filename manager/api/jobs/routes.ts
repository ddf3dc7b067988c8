import { WebvirtError } from '../../../common/errors.ts';
import type { Job } from '../../../common/model/job.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { jobAnswer, jobListAnswer, jobListQuery, jobParams } from './schema.ts';

export interface JobDeps {
  commands: {
    get(id: string): Job | null;
    list(options: { limit: number; beforeMs?: number; instance?: string; host?: string; state?: string }): Job[];
    cancel(id: string, actor: string): Job;
  };
}

/** Operations that take time. */
export function jobRoutes({ commands }: JobDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/jobs',
      summary: 'List jobs',
      purpose: 'Lists operations, the newest first. Their lines are found with the filter job of the logs.',
      access: 'member',
      query: jobListQuery,
      answer: jobListAnswer,
      live: { on: ['job'] },
      handle({ query: { before, ...rest } }) {
        const given = Object.entries({ ...rest, beforeMs: before }).filter(([, value]) => value !== undefined);
        return commands.list(Object.fromEntries(given) as { limit: number });
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/jobs/:id',
      summary: 'Read a job',
      purpose:
        'Reads one operation. Its state goes from planned to running to done, failed or cancelled. Unknown means that the outcome could not be learnt: look at the instance before you try again; what the agent says later still corrects it.',
      access: 'member',
      params: jobParams,
      answer: jobAnswer,
      live: { on: ['job'], touches: (event, { id }) => (event as { id: string }).id === id },
      handle({ params: { id } }) {
        const job = commands.get(id);
        if (job === null) throw new WebvirtError('not-found', `There is no job ${id}.`);
        return job;
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/jobs/:id',
      summary: 'Cancel a job',
      purpose: 'Asks the host to stop an operation. The job says later whether it was cancelled or had ended before.',
      access: 'admin',
      params: jobParams,
      answer: jobAnswer,
      errors: ['wrong-state', 'host-unreachable'],
      handle: ({ params, principal }) => commands.cancel(params.id, principal!.name),
    }),
  ];
}

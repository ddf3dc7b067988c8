import { z } from 'zod';
import { WebvirtError } from '../../../common/errors.ts';
import { defineRoute, type Route } from '../../http/route.ts';

/** One part that must be up before the manager is whole. `waiting` says in words what is missing; null: nothing is. */
export interface ReadyCheck {
  name: string;
  waiting(): string | null;
}

export interface HealthDeps {
  checks: readonly ReadyCheck[];
  /** How many managers there are, where several are joined; null: this one is alone. */
  managers(): number | null;
}

const healthAnswer = z.object({ status: z.literal('ok') });
const readyAnswer = healthAnswer.extend({
  managers: z
    .number()
    .int()
    .optional()
    .describe('Managers that are joined and there, this one counted; absent for one that is alone.'),
});

/** Whether the process lives, and whether all its parts do. Open: they tell nothing of the cloud. */
export function healthRoutes({ checks, managers }: HealthDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/healthz',
      summary: 'Is the manager alive',
      purpose: 'Answers while the process serves requests, whatever the state of its parts. For supervisors.',
      access: 'open',
      answer: healthAnswer,
      handle: () => ({ status: 'ok' }),
    }),
    defineRoute({
      method: 'GET',
      path: '/readyz',
      summary: 'Is the manager ready',
      purpose: 'Answers 200 once every part is up, else 503 with the parts that are not and why. For load balancers.',
      access: 'open',
      answer: readyAnswer,
      errors: ['not-ready'],
      handle() {
        const waiting = checks.flatMap(({ name, waiting }) => {
          const words = waiting();
          return words === null ? [] : [`${name}: ${words}`];
        });
        if (waiting.length > 0) throw new WebvirtError('not-ready', `Not ready: ${waiting.join('; ')}.`);
        const count = managers();
        return { status: 'ok', ...(count === null ? {} : { managers: count }) };
      },
    }),
  ];
}

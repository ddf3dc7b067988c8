import type { z } from 'zod';
import { defineRoute, type Route } from '../../http/route.ts';
import { intakeAnswer } from './schema.ts';

export interface IntakeDeps {
  /** What came in by each way since the manager was started. */
  report(): z.input<typeof intakeAnswer>;
}

/** What the ways in took, refused and dropped. */
export function intakeRoutes({ report }: IntakeDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/intake',
      summary: 'See what came in from outside',
      purpose:
        'Tells, for each way by which programs outside send lines and for each of their senders, how many were taken, refused (with reasons) and dropped since the manager was started, and when they were last heard.',
      access: 'member',
      answer: intakeAnswer,
      live: { on: ['outside'] },
      handle: report,
    }),
  ];
}

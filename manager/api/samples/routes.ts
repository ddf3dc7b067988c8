import type { SampleSeries } from '../../../common/model/sample.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { sampleAnswer, sampleQuery } from './schema.ts';

const DEFAULT_LAST_MS = 15 * 60_000;

export interface SampleDeps {
  samples: {
    series(
      kind: 'host' | 'instance',
      options: { ids?: string[]; fromMs: number; points: number },
    ): Promise<SampleSeries[]>;
  };
  nowMs: () => number;
}

/** The short history behind sparklines and plots. */
export function sampleRoutes({ samples, nowMs }: SampleDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/samples',
      summary: 'Read load over time',
      purpose:
        'Reads processor and memory use of hosts or instances over time, in columns, oldest first. New points come with the hosts and instances themselves on the live road.',
      access: 'member',
      query: sampleQuery,
      answer: sampleAnswer,
      handle({ query: { kind, ids, lastMs, from, points } }) {
        const fromMs = from ?? nowMs() - (lastMs ?? DEFAULT_LAST_MS);
        return samples.series(kind, { ...(ids === undefined ? {} : { ids }), fromMs, points });
      },
    }),
  ];
}

import type { Delivery } from '../../../common/model/rule.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { deliveryListAnswer, deliveryQuery } from './schema.ts';

export interface DeliveryRouteDeps {
  deliveries: { list(options: { limit: number; state?: string; rule?: string; before?: string }): Delivery[] };
}

/** Messages that rules caused, each to one destination. */
export function deliveryRoutes({ deliveries }: DeliveryRouteDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/deliveries',
      summary: 'List deliveries',
      purpose:
        'Lists messages to destinations, newest first, with their tries and the reason of the last failure. One that ' +
        'cannot be delivered is tried again, later and later, for a day.',
      access: 'member',
      query: deliveryQuery,
      answer: deliveryListAnswer,
      live: { on: ['delivery'] },
      handle: ({ query: { limit, state, rule, before } }) =>
        deliveries.list({
          limit,
          ...(state === undefined ? {} : { state }),
          ...(rule === undefined ? {} : { rule }),
          ...(before === undefined ? {} : { before }),
        }),
    }),
  ];
}

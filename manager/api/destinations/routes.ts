import { z } from 'zod';
import type { Destination } from '../../../common/model/rule.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import {
  destinationAnswer,
  destinationBody,
  destinationListAnswer,
  destinationParams,
  destinationTestAnswer,
} from './schema.ts';

type Change = z.output<typeof destinationBody>;

export interface DestinationDeps {
  destinations: {
    list(): Destination[];
    create(change: Change, owner: string): Destination;
    update(id: string, change: Change): Destination;
    remove(id: string): void;
    test(id: string, by: string): Promise<{ sent: boolean; error: string | null; tookMs: number }>;
  };
  audit(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

/** Where rules tell people: mail addresses, webhooks and chats. What is secret of them goes in and never comes out. */
export function destinationRoutes({ destinations, audit }: DestinationDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/destinations',
      summary: 'List destinations',
      purpose: 'Lists where rules may tell people. Of the address of a hook only the beginning is shown.',
      access: 'member',
      answer: destinationListAnswer,
      live: { on: ['destination'] },
      handle: () => destinations.list(),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/destinations',
      summary: 'Make a destination',
      purpose: 'Makes a mail, webhook or chat destination that rules can name.',
      access: 'admin',
      body: destinationBody,
      answer: destinationAnswer,
      status: 201,
      example: { kind: 'webhook', name: 'on-call', url: 'https://hooks.example.org/webvirt', secret: 'a long key' },
      errors: ['name-taken', 'no-room'],
      handle({ body, principal, peer }) {
        const made = destinations.create(body, principal!.name);
        const { id, name, kind } = made;
        audit('info', 'destination made', {
          ...{ email: principal!.name, destination: id, name, kind, address: peer.address },
        });
        return made;
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/destinations/:id',
      summary: 'Change a destination',
      purpose: 'Replaces a destination. Its key stays only while the address stays on the same host.',
      access: 'admin',
      params: destinationParams,
      body: destinationBody,
      answer: destinationAnswer,
      example: { kind: 'email', name: 'on-call', to: ['ops@example.org'] },
      errors: ['name-taken'],
      handle({ params, body, principal, peer }) {
        const changed = destinations.update(params.id, body);
        audit('info', 'destination changed', {
          ...{ email: principal!.name, destination: params.id, name: changed.name, address: peer.address },
        });
        return changed;
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/destinations/:id',
      summary: 'Remove a destination',
      purpose: 'Removes a destination that no rule names any more. What waits for it is given up.',
      access: 'admin',
      params: destinationParams,
      answer: z.null(),
      errors: ['in-use'],
      handle({ params, principal, peer }) {
        destinations.remove(params.id);
        audit('info', 'destination removed', {
          ...{ email: principal!.name, destination: params.id, address: peer.address },
        });
        return null;
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/destinations/:id/test',
      summary: 'Test a destination',
      purpose: 'Sends a test message at once and answers what came of it.',
      access: 'admin',
      params: destinationParams,
      answer: destinationTestAnswer,
      handle: ({ params, principal }) => destinations.test(params.id, principal!.name),
    }),
  ];
}

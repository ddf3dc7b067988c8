import { defineRoute, type Route } from '../../http/route.ts';
import type { Migration } from '../../migration/migration.ts';
import {
  checksAnswer,
  checksQuery,
  migrateAnswer,
  migrateBody,
  migrateParams,
  targetsAnswer,
  targetsQuery,
} from './schema.ts';

export interface MigrationRouteDeps {
  migration: Pick<Migration, 'checks' | 'targets' | 'move'>;
}

/** Moving instances between hosts. */
export function migrationRoutes({ migration }: MigrationRouteDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/instances/:id/migrate/checks',
      summary: 'Check a move',
      purpose:
        'Says what stands between an instance and another host, before anything is done: each check with its verdict, what was found and what to try. Both hosts are asked now.',
      access: 'member',
      params: migrateParams,
      query: checksQuery,
      answer: checksAnswer,
      handle: ({ params, query: { target, ...how } }) => migration.checks(params.id, target, how),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/instances/:id/migrate/targets',
      summary: 'List where an instance can move',
      purpose: 'Makes the same checks against every other host; those to which it can move come first.',
      access: 'member',
      params: migrateParams,
      query: targetsQuery,
      answer: targetsAnswer,
      handle: ({ params, query }) => migration.targets(params.id, query),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/instances/:id/migrate',
      summary: 'Move an instance',
      purpose:
        'Moves an instance to another host, live or cold, and answers the job at once. While it runs the job tells how much memory is left, how fast it goes and how often it was passed over; its result has the measured downtime. All checks are made again first. However the move ends, both hosts are looked at, and the instance runs on one of them or the job says that nobody knows.',
      access: 'admin',
      params: migrateParams,
      body: migrateBody,
      answer: migrateAnswer,
      status: 202,
      errors: ['not-found', 'not-movable', 'host-unreachable', 'busy', 'op-id-reused', 'journal-full'],
      example: { target: '3f6c0f0e2f5a4f0d', live: true, tunnelled: false, maxDowntimeMs: 200, opId: 'move-web1-0001' },
      handle: async ({ params, body, principal }) => ({
        job: await migration.move({ ...body, instance: params.id, actor: principal!.name }),
      }),
    }),
  ];
}

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { WebvirtError } from '../../../common/errors.ts';
import type { KeepMark } from '../../../common/model/search.ts';
import type { Bus } from '../../bus/bus.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import type { KeepStore } from '../../store/ports.ts';
import { keepAnswer, keepBody, keepListAnswer, keepParams } from './schema.ts';

export interface KeepDeps {
  keeps: KeepStore;
  bus: Pick<Bus, 'emit'>;
  audit(level: 'info' | 'warn', message: string, fields: Record<string, unknown>): void;
  now: () => number;
}

const LIMIT_MARKS = 1_000;

/** Marks of times whose lines retention leaves alone: of an incident, until it is understood. */
export function keepRoutes({ keeps, bus, audit, now }: KeepDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/logs/keeps',
      summary: 'List keep marks',
      purpose: 'Lists the times whose lines are kept whatever their age, the newest mark first.',
      access: 'member',
      answer: keepListAnswer,
      live: { on: ['keep'] },
      handle: () => keeps.list(),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/logs/keeps',
      summary: 'Keep lines',
      purpose:
        'Marks a time whose lines are not deleted when they become old, until the mark is removed. Lines that are gone already do not come back.',
      access: 'member',
      body: keepBody,
      answer: keepAnswer,
      status: 201,
      example: { fromMs: 1_767_225_600_000, toMs: 1_767_229_200_000, note: 'the outage of New Year' },
      errors: ['too-many-requests'],
      handle({ body, principal, peer }) {
        if (keeps.list().length >= LIMIT_MARKS)
          throw new WebvirtError('too-many-requests', `There may be ${LIMIT_MARKS} keep marks; remove old ones first.`);
        const mark: KeepMark = {
          ...{ id: randomBytes(8).toString('hex'), ...body },
          ...{ owner: principal!.name, createdMs: now() },
        };
        keeps.put(mark);
        audit('info', 'keep mark made', { email: mark.owner, mark: mark.id, ...body, address: peer.address });
        bus.emit('keep', { id: mark.id });
        return mark;
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/logs/keeps/:id',
      summary: 'Remove a keep mark',
      purpose: 'Removes a mark. Its lines are deleted with the next round of retention when they are old enough.',
      access: 'member',
      params: keepParams,
      answer: z.null(),
      handle({ params: { id }, principal, peer }) {
        const mark = keeps.get(id);
        if (mark === null) throw new WebvirtError('not-found', 'There is no such keep mark.');
        keeps.remove(id);
        const { fromMs, toMs, owner } = mark;
        audit('info', 'keep mark removed', {
          ...{ email: principal!.name, mark: id, fromMs, toMs, owner, address: peer.address },
        });
        bus.emit('keep', { id });
        return null;
      },
    }),
  ];
}

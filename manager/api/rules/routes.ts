import { z } from 'zod';
import type { Rule, RuleDraft, RuleEvent } from '../../../common/model/rule.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import {
  muteBody,
  previewAnswer,
  previewBody,
  ruleAnswer,
  ruleBody,
  ruleEventAnswer,
  ruleEventQuery,
  ruleListAnswer,
  ruleParams,
} from './schema.ts';

export interface RuleDeps {
  rules: {
    list(): Rule[];
    get(id: string): Rule;
    create(draft: RuleDraft, owner: string): Rule;
    update(id: string, draft: RuleDraft): Rule;
    remove(id: string): void;
    mute(id: string, forMs: number): Rule;
    events(options: { rule?: string; limit: number; before?: string }): RuleEvent[];
  };
  preview(draft: RuleDraft, signal: AbortSignal): Promise<z.output<typeof previewAnswer>>;
  audit(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

const EXAMPLE = {
  name: 'Disk errors',
  query: { q: '"I/O error"', level: 'error' },
  condition: { kind: 'lines', count: 3, withinMs: 60_000 },
  groupBy: 'host',
  quietMs: 600_000,
  severity: 'critical',
  destinations: [],
};

/** Rules: a filter, and how many lines of it within a time, or how long without one, are worth telling somebody. */
export function ruleRoutes({ rules, preview, audit }: RuleDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/rules',
      summary: 'List rules',
      purpose: 'Lists all rules with their state and the groups for which they fire now.',
      access: 'member',
      answer: ruleListAnswer,
      live: { on: ['rule'] },
      handle: () => rules.list(),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/rules',
      summary: 'Make a rule',
      purpose: 'Makes a rule. It looks at lines that arrive from now on.',
      access: 'admin',
      body: ruleBody,
      answer: ruleAnswer,
      status: 201,
      example: EXAMPLE,
      errors: ['bad-query', 'no-room'],
      handle({ body, principal, peer }) {
        const rule = rules.create(body, principal!.name);
        audit('info', 'rule made', { email: principal!.name, rule: rule.id, name: rule.name, address: peer.address });
        return rule;
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/rules/events',
      summary: 'Read what rules did',
      purpose: 'Reads the history of one rule or of all, newest first: what fired, what was held back, what ended.',
      access: 'member',
      query: ruleEventQuery,
      answer: ruleEventAnswer,
      live: { on: ['rule'] },
      handle({ query: { rule, limit, before } }) {
        return rules.events({
          limit,
          ...(rule === undefined ? {} : { rule }),
          ...(before === undefined ? {} : { before }),
        });
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/rules/preview',
      summary: 'Try a rule on the last day',
      purpose:
        'Answers when a rule would have fired in the last day. It looks at a bounded number of lines, the newest ones, ' +
        'and says how far back it came. Nothing is kept and nobody is told.',
      access: 'member',
      body: previewBody,
      answer: previewAnswer,
      example: { draft: EXAMPLE },
      errors: ['bad-query', 'store-unavailable'],
      handle: ({ body, signal }) => preview(body.draft, signal),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/rules/:id',
      summary: 'Read a rule',
      purpose: 'Reads one rule with its state.',
      access: 'member',
      params: ruleParams,
      answer: ruleAnswer,
      live: { on: ['rule'], touches: (event, { id }) => (event as { id: string }).id === id },
      handle: ({ params }) => rules.get(params.id),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/rules/:id',
      summary: 'Change a rule',
      purpose:
        'Replaces a rule, or switches it on or off. Where its filter, condition and grouping stay the same it goes on ' +
        'counting; else it begins anew.',
      access: 'admin',
      params: ruleParams,
      body: ruleBody,
      answer: ruleAnswer,
      example: EXAMPLE,
      errors: ['bad-query'],
      handle({ params, body, principal, peer }) {
        const rule = rules.update(params.id, body);
        audit('info', 'rule changed', {
          ...{ email: principal!.name, rule: rule.id, name: rule.name, enabled: rule.enabled, address: peer.address },
        });
        return rule;
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/rules/:id/mute',
      summary: 'Mute a rule',
      purpose:
        'Tells nobody what a rule does, for a time. It goes on counting, and its history goes on. When the time is over, ' +
        'or is ended with `forMs` 0, what it still fires for is told.',
      access: 'admin',
      params: ruleParams,
      body: muteBody,
      answer: ruleAnswer,
      example: { forMs: 7_200_000 },
      handle({ params, body, principal, peer }) {
        const rule = rules.mute(params.id, body.forMs);
        audit('info', 'rule muted', {
          ...{ email: principal!.name, rule: rule.id, name: rule.name, forMs: body.forMs, address: peer.address },
        });
        return rule;
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/rules/:id',
      summary: 'Remove a rule',
      purpose: 'Removes a rule. Its history stays; what waits to be delivered is still delivered.',
      access: 'admin',
      params: ruleParams,
      answer: z.null(),
      handle({ params, principal, peer }) {
        rules.remove(params.id);
        audit('info', 'rule removed', { email: principal!.name, rule: params.id, address: peer.address });
        return null;
      },
    }),
  ];
}

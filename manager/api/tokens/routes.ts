import { z } from 'zod';
import { WebvirtError } from '../../../common/errors.ts';
import type { Role, Token } from '../../../common/model/access.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { newTokenAnswer, tokenBody, tokenListAnswer, tokenParams } from './schema.ts';

export interface TokenService {
  create(wish: { owner: string; role: Role; name: string; expiresMs: number | null }): { text: string; token: Token };
  list(owner: string): Token[];
  remove(id: string, owner: string): boolean;
}

export interface TokenDeps {
  tokens: TokenService;
  audit(level: 'info' | 'warn', message: string, fields: Record<string, unknown>): void;
  now: () => number;
}

/** Bearer tokens of programs: each member sees and removes their own. */
export function tokenRoutes({ tokens, audit, now }: TokenDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/tokens',
      summary: 'List tokens',
      purpose: 'Lists your tokens with their age and last use. The text of a token is never shown again.',
      access: 'member',
      answer: tokenListAnswer,
      live: { on: ['token'], perPerson: true },
      handle: ({ principal }) => tokens.list(principal!.name),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/tokens',
      summary: 'Make a token',
      purpose:
        'Makes a token for a program, which sends it as "Authorization: Bearer wv_…". It may do what you may do.',
      access: 'member',
      body: tokenBody,
      answer: newTokenAnswer,
      status: 201,
      example: { name: 'nightly report', expiresMs: null },
      handle({ body, principal, peer }) {
        if (body.expiresMs !== null && body.expiresMs <= now()) {
          throw new WebvirtError('bad-request', 'body.expiresMs: lies in the past');
        }
        const { text, token } = tokens.create({ owner: principal!.name, role: principal!.role, ...body });
        audit('info', 'token made', {
          email: principal!.name,
          token: token.id,
          name: token.name,
          address: peer.address,
        });
        return { ...token, token: text };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/tokens/:id',
      summary: 'Remove a token',
      purpose: 'Ends a token at once: calls with it are refused and its sockets are closed.',
      access: 'member',
      params: tokenParams,
      answer: z.null(),
      handle({ params, principal, peer }) {
        if (!tokens.remove(params.id, principal!.name)) throw new WebvirtError('not-found', 'You have no such token.');
        audit('info', 'token removed', { email: principal!.name, token: params.id, address: peer.address });
        return null;
      },
    }),
  ];
}

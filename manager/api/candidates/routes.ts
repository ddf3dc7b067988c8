import { z } from 'zod';
import { WebvirtError } from '../../../common/errors.ts';
import type { Candidate } from '../../../common/model/discovery.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { candidateAnswer, candidateListAnswer, candidateParams, enrolBody, enrolOfferAnswer } from './schema.ts';

export interface CandidateDeps {
  candidates: { list(): Candidate[]; get(id: string): Candidate | null };
  inbox: { dismiss(id: string): boolean };
  enrolment: {
    createToken(order: { agent: string; actor: string }): { id: string; text: string; expiresMs: number };
    command(origin: string, token: { id: string; text: string; expiresMs: number }): string;
    /** `https://address:port` under which agents reach the manager when the admin names nothing else. */
    defaultOrigin(): string;
  };
  audit(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

/** The discovery inbox: what scans found. Nothing in it is trusted before an admin enrols it. */
export function candidateRoutes({ candidates, inbox, enrolment, audit }: CandidateDeps): Route[] {
  const mustGet = (id: string): Candidate => {
    const candidate = candidates.get(id);
    if (candidate === null) throw new WebvirtError('not-found', 'There is no such candidate; it may have vanished.');
    return candidate;
  };
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/candidates',
      summary: 'List candidates',
      purpose:
        'Lists what scans found, newest first. The id of an agent is computed from the key it proved to have; its name ' +
        'and version are only what it claims.',
      access: 'admin',
      answer: candidateListAnswer,
      live: { on: ['candidate'] },
      handle: () => candidates.list(),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/candidates/:id',
      summary: 'Read a candidate',
      purpose: 'Reads one entry of the discovery inbox.',
      access: 'admin',
      params: candidateParams,
      answer: candidateAnswer,
      live: { on: ['candidate'], touches: (event, { id }) => (event as { id: string }).id === id },
      handle: ({ params }) => mustGet(params.id),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/candidates/:id/enrol',
      summary: 'Enrol a candidate',
      purpose:
        'Makes a one-time token for this agent and the line to run on its host as root. The host accepts the manager ' +
        'only then: a scan alone gives nobody anything.',
      access: 'admin',
      params: candidateParams,
      body: enrolBody,
      answer: enrolOfferAnswer,
      status: 201,
      example: {},
      errors: ['wrong-state'],
      handle({ params, body, principal, peer }) {
        const { id, state, address } = mustGet(params.id);
        if (state !== 'unenrolled') throw new WebvirtError('wrong-state', REASONS[state], { candidate: id, state });
        const token = enrolment.createToken({ agent: id, actor: principal!.name });
        audit('info', 'enrolment token made', {
          ...{ email: principal!.name, agent: id, candidateAddress: address },
          ...{ token: token.id, expiresMs: token.expiresMs, address: peer.address },
        });
        const command = enrolment.command(body.managerUrl ?? enrolment.defaultOrigin(), token);
        return { token: token.text, command, expiresMs: token.expiresMs };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/candidates/:id',
      summary: 'Dismiss a candidate',
      purpose:
        'Takes an entry out of the inbox. It comes back when its state changes, such as after a new installation.',
      access: 'admin',
      params: candidateParams,
      answer: z.null(),
      handle({ params, principal, peer }) {
        if (!inbox.dismiss(params.id)) throw new WebvirtError('not-found', 'There is no such candidate.');
        audit('info', 'candidate dismissed', { email: principal!.name, candidate: params.id, address: peer.address });
        return null;
      },
    }),
  ];
}

const REASONS: Record<Exclude<Candidate['state'], 'unenrolled'>, string> = {
  'enrolled-here': 'This agent is enrolled with this manager already.',
  'enrolled-elsewhere':
    'This agent is enrolled with another manager. Remove that enrolment on its host first, then scan again.',
  'not-an-agent': 'What listens there is not an agent.',
};

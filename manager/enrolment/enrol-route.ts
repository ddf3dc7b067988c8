import { z } from 'zod';
import { WebvirtError } from '../../common/errors.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL } from './check-request.ts';

export const enrolBody = z.strictObject({
  tokenId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .describe('Third part of the token.'),
  csr: z.string().max(8_192).describe('Certificate request (PKCS #10, PEM) with the key of the agent.'),
  mac: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe(
      'HMAC-SHA256, hex, keyed with the secret of the token, over the TLS exporter and the DER of the request.',
    ),
  port: z.number().int().min(1).max(65_535).describe('Port on which the agent listens.'),
  name: z.string().max(255).describe('Host name, for people.'),
});
export type EnrolBody = z.output<typeof enrolBody>;

export const enrolAnswer = z.object({
  cert: z.string().describe('Certificate of the agent, PEM.'),
  ca: z.string().describe('Certificate of the CA that signed it, PEM: the only one to trust from now on.'),
});
export type EnrolAnswer = z.output<typeof enrolAnswer>;

/** `POST /enrol`: open, because the token is the credential. */
export function enrolRoute(
  enrol: (body: EnrolBody, peer: string, exporter: Uint8Array) => Promise<EnrolAnswer>,
): Route {
  return defineRoute({
    method: 'POST',
    path: '/enrol',
    summary: 'Enrol an agent',
    purpose:
      'Called by an agent that was given a one-time token. The secret of the token never travels: the agent proves that ' +
      'it has it, on this very TLS connection, and gets its certificate.',
    access: 'open',
    body: enrolBody,
    answer: enrolAnswer,
    bodyLimitBytes: 16_384,
    errors: ['bad-token', 'too-many-requests'],
    async handle({ body, peer, keyingMaterial }) {
      const exporter = peer.encrypted ? keyingMaterial?.(EXPORTER_BYTES, EXPORTER_LABEL) : null;
      if (exporter === null || exporter === undefined)
        throw new WebvirtError('bad-request', 'Enrol over https: the proof is tied to the TLS connection.');
      return enrol(body, peer.address, exporter);
    },
  });
}

import { z } from 'zod';
import { WebvirtError } from '../../../common/errors.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { type HttpSender, handOn, type LineDoor } from '../intake/door.ts';
import { readLoki } from './read-loki.ts';
import { lokiBody } from './schema.ts';

export interface LokiDeps {
  door: LineDoor;
  nowMs: () => number;
}

const PROTOBUF =
  'Lines are taken as JSON, not as Protobuf with snappy. Send Content-Type: application/json: Fluent Bit does; in Vector ' +
  'set `encoding.codec: json` and `compression: gzip` of an http sink; promtail and Alloy cannot.';

/** The push API of Loki, in JSON. */
export function lokiRoutes({ door, nowMs }: LokiDeps): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/loki/api/v1/push',
      summary: 'Send lines as to Loki',
      purpose:
        'Takes what is pushed to Grafana Loki, in JSON, also gzip: labels and structured metadata become fields. The answer is 204, or 400 in words when entries were refused; the others are stored all the same. The token may also stand as the password of Basic credentials.',
      access: 'member',
      body: lokiBody,
      answer: z.null(),
      status: 204,
      takesLines: true,
      basicToken: true,
      bodyLimitBytes: 8 * 1024 * 1024,
      refusedTypes: { 'application/x-protobuf': PROTOBUF },
      errors: ['store-unavailable', 'too-many-requests'],
      example: {
        streams: [{ stream: { app: 'shop', level: 'error' }, values: [['1767225600000000000', 'payment failed']] }],
      },
      admit: (principal) => door.admit(senderOf(principal)),
      presentError: ({ body }) => ({
        type: 'text/plain; charset=utf-8',
        text: `${body.err === null ? '' : body.message}\n`,
      }),
      async handle({ body, principal }) {
        const sender = senderOf(principal!);
        const read = readLoki(body, sender.name, nowMs());
        if (read === null)
          throw new WebvirtError('bad-request', 'The body is no push request: it has no list `streams`.');
        await handOn(door, sender, read);
        if (read.refusedCount > 0) throw new WebvirtError('bad-request', wordsFor(read));
        return null;
      },
    }),
  ];
}

function senderOf({ credentialId, name }: { credentialId: string; name: string }): HttpSender {
  return { way: 'loki', id: credentialId, name };
}

function wordsFor({ lines, refusedCount, refused }: NonNullable<ReturnType<typeof readLoki>>): string {
  const told = refused.slice(0, 10).map(({ index, reason }) => `entry ${index}: ${reason}`);
  if (refusedCount > told.length) told.push(`and ${refusedCount - told.length} more`);
  return `${refusedCount} entries were refused, ${lines.length} stored: ${told.join('; ')}`;
}

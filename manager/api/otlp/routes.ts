import { WebvirtError } from '../../../common/errors.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { type HttpSender, handOn, type LineDoor } from '../intake/door.ts';
import { readOtlp } from './read-otlp.ts';
import { otlpBody } from './schema.ts';

export interface OtlpDeps {
  door: LineDoor;
  nowMs: () => number;
}

const PROTOBUF =
  'Lines are taken as OTLP in JSON. Set OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/json, or in an OpenTelemetry collector ' +
  '`encoding: json` of its otlphttp exporter.';

/** Codes of google.rpc that stand for a status of HTTP. */
const RPC_CODES: Record<number, number> = { 400: 3, 401: 16, 403: 7, 404: 5, 413: 11, 415: 3, 429: 8, 503: 14, 504: 4 };

/** Logs of OpenTelemetry: OTLP over HTTP, in JSON. */
export function otlpRoutes({ door, nowMs }: OtlpDeps): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/logs',
      summary: 'Send lines as OTLP',
      purpose:
        'Takes logs of OpenTelemetry SDKs and collectors: OTLP/HTTP in JSON, also gzip. The answer is that of OTLP: an empty object when all was stored, else partialSuccess with how many records were rejected and why. Errors are those of google.rpc.Status; 429 and 503 are to be tried again after Retry-After.',
      access: 'member',
      body: otlpBody,
      takesLines: true,
      bodyLimitBytes: 8 * 1024 * 1024,
      refusedTypes: { 'application/x-protobuf': PROTOBUF, 'application/protobuf': PROTOBUF },
      rawType: 'application/json',
      errors: ['store-unavailable', 'too-many-requests'],
      example: {
        resourceLogs: [
          {
            resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
            scopeLogs: [{ logRecords: [{ severityNumber: 17, body: { stringValue: 'payment failed' } }] }],
          },
        ],
      },
      admit: (principal) => door.admit(senderOf(principal)),
      presentError: ({ status, body }) => ({
        type: 'application/json',
        text: JSON.stringify({ code: RPC_CODES[status] ?? 13, ...body }),
      }),
      async handle({ body, principal }) {
        const sender = senderOf(principal!);
        const read = readOtlp(body, sender.name, nowMs());
        if (read === null) throw new WebvirtError('bad-request', 'The body is no ExportLogsServiceRequest in JSON.');
        await handOn(door, sender, read);
        return JSON.stringify(read.refusedCount === 0 ? {} : { partialSuccess: partial(read) });
      },
    }),
  ];
}

function senderOf({ credentialId, name }: { credentialId: string; name: string }): HttpSender {
  return { way: 'otlp', id: credentialId, name };
}

/** A 64-bit number is text in the JSON of Protobuf. */
function partial({ refusedCount, refused }: NonNullable<ReturnType<typeof readOtlp>>) {
  const told = refused.slice(0, 10).map(({ index, reason }) => `record ${index}: ${reason}`);
  if (refusedCount > told.length) told.push(`and ${refusedCount - told.length} more`);
  return { rejectedLogRecords: String(refusedCount), errorMessage: told.join('; ') };
}

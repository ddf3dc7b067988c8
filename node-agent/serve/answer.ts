import type { IncomingMessage, ServerResponse } from 'node:http';
import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import { failed, ok } from '../../common/wire/envelope.ts';

const BODY_LIMIT_BYTES = 64 * 1024;

/** Answers with `data` in the envelope. */
export function answerOk(response: ServerResponse, status: number, data: unknown): void {
  write(response, status, JSON.stringify(ok(data)));
}

/** The one translator of errors: what is not of the catalogue is answered blandly, and `onInternal` logs it. */
export function answerError(response: ServerResponse, error: unknown, onInternal: (error: unknown) => void): void {
  const known = isWebvirtError(error) ? error : new WebvirtError('internal');
  if (!isWebvirtError(error) || known.code === 'internal') onInternal(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  write(response, known.status, JSON.stringify(failed(known.code, known.publicMessage)));
}

function write(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

/** Reads a JSON body. Throws `unsupported-media-type`, `too-large` or `bad-request`. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new WebvirtError('unsupported-media-type');
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > BODY_LIMIT_BYTES) throw new WebvirtError('too-large');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    throw new WebvirtError('bad-request', 'The body is not JSON.', {}, { cause: error });
  }
}

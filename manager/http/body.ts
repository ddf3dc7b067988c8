import type { IncomingMessage } from 'node:http';
import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import { parseSafeJson } from './safe-json.ts';

/** True when the request brings a body (of whatever length is declared, or in chunks). */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/**
 * Reads the body of a request as JSON, or as text when it is NDJSON; undefined when there is none. Throws `unsupported-media-type` (a form or
 * `text/plain` is what another site can send without asking), `too-large` before more than the limit is kept, and
 * `bad-request`. Compressed bodies are refused: 165 bytes of brotli can hold 100 MiB.
 */
export async function readJsonBody(request: IncomingMessage, limitBytes: number): Promise<unknown> {
  if (!hasBody(request)) return undefined;
  mustBeJson(request);
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > limitBytes) throw tooLarge(limitBytes);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (isWebvirtError(error)) throw error;
    // The peer left within its body: no fault of ours, and nothing that anybody may fill the log with.
    throw new WebvirtError('bad-request', 'The body broke off.', {}, { cause: error });
  }
  if (bytes === 0) return undefined;
  const text = decode(Buffer.concat(chunks, bytes));
  return isNdjson(request) ? text : parseSafeJson(text);
}

/** Rows of JSON, one a line: handed on as text, for the routes whose schema takes it. */
function isNdjson(request: IncomingMessage): boolean {
  return /^application\/x-ndjson(?:\s*;|\s*$)/i.test(request.headers['content-type'] ?? '');
}

function mustBeJson(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new WebvirtError('unsupported-media-type', 'Send the body without compression.');
  }
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/(?:json|x-ndjson)(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(type))
    throw new WebvirtError('unsupported-media-type');
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new WebvirtError('bad-request', 'The body is not valid UTF-8.', {}, { cause: error });
  }
}

function tooLarge(limitBytes: number): WebvirtError {
  return new WebvirtError('too-large', `The request is larger than ${limitBytes} bytes.`, { limitBytes });
}

/**
 * Lets the rest of a body that nobody wants run into nothing, for a second at most: closing at once would reset the
 * connection under a peer that is still sending, and it would never read why it was refused.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || !hasBody(request)) return;
  request.resume();
  const cut = setTimeout(() => request.socket.destroy(), 1000);
  request.once('end', () => clearTimeout(cut));
  request.once('close', () => clearTimeout(cut));
}

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import { parseSafeJson } from './safe-json.ts';

/** True when the request brings a body (of whatever length is declared, or in chunks). */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

export interface BodyRules {
  limitBytes: number;
  /** See `Route`. */
  takesLines?: boolean | undefined;
  refusedTypes?: Record<string, string> | undefined;
}

const unzip = promisify(gunzip);

/**
 * Reads the body of a request as JSON, or as text when it is NDJSON; undefined when there is none. Throws `unsupported-media-type` (a form or
 * `text/plain` is what another site can send without asking), `too-large` before more than the limit is kept, and
 * `bad-request`. Compressed bodies are refused (165 bytes of brotli can hold 100 MiB) but where lines are taken.
 */
export async function readJsonBody(request: IncomingMessage, rules: BodyRules): Promise<unknown> {
  const { limitBytes, takesLines = false } = rules;
  if (!hasBody(request)) return undefined;
  const zipped = mustBeJson(request, rules);
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
  const sent = Buffer.concat(chunks, bytes);
  const text = decode(zipped ? await unpack(sent, limitBytes) : sent, takesLines);
  if (isNdjson(request)) return text;
  return takesLines ? parseJson(text) : parseSafeJson(text);
}

async function unpack(sent: Buffer, limitBytes: number): Promise<Buffer> {
  try {
    return await unzip(sent, { maxOutputLength: limitBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limitBytes);
    throw new WebvirtError('bad-request', 'The body is not valid gzip.', {}, { cause: error });
  }
}

/** Rows of JSON, one a line: handed on as text, for the routes whose schema takes it. */
function isNdjson(request: IncomingMessage): boolean {
  return /^application\/x-ndjson(?:\s*;|\s*$)/i.test(request.headers['content-type'] ?? '');
}

/** True when it is gzip. */
function mustBeJson(request: IncomingMessage, { takesLines, refusedTypes }: BodyRules): boolean {
  const type = request.headers['content-type'] ?? '';
  const refused = refusedTypes?.[type.split(';', 1)[0]!.trim().toLowerCase()];
  if (refused !== undefined) throw new WebvirtError('unsupported-media-type', refused);
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  const zipped = takesLines === true && (encoding === 'gzip' || encoding === 'x-gzip');
  if (!zipped && encoding !== 'identity') {
    const what =
      takesLines === true ? 'Send the body as gzip or without compression.' : 'Send the body without compression.';
    throw new WebvirtError('unsupported-media-type', what);
  }
  if (!/^application\/(?:json|x-ndjson)(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(type))
    throw new WebvirtError('unsupported-media-type');
  return zipped;
}

/** Of lines a byte that is no UTF-8 becomes a mark: it may stand in one line of thousands. */
function decode(bytes: Buffer, lenient: boolean): string {
  try {
    return new TextDecoder('utf-8', { fatal: !lenient }).decode(bytes);
  } catch (error) {
    throw new WebvirtError('bad-request', 'The body is not valid UTF-8.', {}, { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WebvirtError('bad-request', 'The body is not valid JSON.', {}, { cause: error });
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

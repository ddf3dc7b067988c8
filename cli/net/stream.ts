import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isErrorCode, WebvirtError } from '../../common/errors.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { Target } from './request.ts';

const LIMIT_ERROR_BYTES = 64 * 1024;

/**
 * Writes an answer that is no envelope (an export) into a stream as it comes. Resolves with what was said behind it, by names in
 * small letters. Rejects with the error that was named.
 */
export async function streamTo(
  target: Target,
  path: string,
  out: Writable,
  signal: AbortSignal,
): Promise<NodeJS.Dict<string>> {
  const url = new URL(target.url! + path);
  const call = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    ca: target.ca ?? undefined,
    signal,
    headers: target.token ? { authorization: `Bearer ${target.token}` } : {},
  });
  call.end();
  const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    call.once('response', resolve);
    call.once('error', (error) =>
      reject(new WebvirtError('host-unreachable', `${target.url} is not reached (${error.message}).`)),
    );
  });
  if (answer.statusCode === 200) {
    await pipeline(answer, out, { signal, end: false });
    return answer.trailers;
  }
  let text = '';
  for await (const chunk of answer) if (text.length < LIMIT_ERROR_BYTES) text += String(chunk);
  const told = text.startsWith('{') ? (JSON.parse(text) as Envelope<never>) : null;
  if (told === null || told.err === null)
    throw new WebvirtError('internal', `${target.url} answered ${answer.statusCode}.`);
  throw new WebvirtError(isErrorCode(told.err) ? told.err : 'internal', told.message);
}

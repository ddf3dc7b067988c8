import type { IncomingHttpHeaders } from 'node:http';
import { WebvirtError } from '../../common/errors.ts';
import { isSameOrigin } from './same-origin.ts';

/**
 * The headers with a token that came as the password of Basic credentials put where tokens stand; unchanged when there is
 * none. A browser may add Basic credentials on its own, so a page of another site is refused: throws `bad-origin`.
 */
export function withBasicToken(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const match = /^basic +([A-Za-z0-9+/]{1,1024}={0,2}) *$/i.exec(headers.authorization ?? '');
  if (match === null) return headers;
  const text = Buffer.from(match[1]!, 'base64').toString('utf8');
  const password = text.slice(text.indexOf(':') + 1);
  if (!/^wv_[\x21-\x7e]+$/.test(password)) return headers;
  if (!isSameOrigin(headers)) throw new WebvirtError('bad-origin');
  return { ...headers, authorization: `Bearer ${password}` };
}

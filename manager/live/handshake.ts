import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../../common/errors.ts';
import type { Principal } from '../../common/model/access.ts';
import type { SharedGuard } from './ports.ts';
import { tokenSchema } from './schema.ts';

/**
 * Why a request to the socket's address is refused, or null. Browsers write no Origin on a polling GET to their own
 * site, but they do write `Sec-Fetch-Site: same-origin`, which no page can forge: that counts as well.
 */
export function handshakeFault(request: IncomingMessage, guard: SharedGuard): ErrorCode | null {
  const { headers } = request;
  if (!guard.isHostAllowed(headers.host, request.socket.localAddress)) return 'bad-host';
  if (guard.isOriginAllowed(headers)) return null;
  const polls = headers.upgrade === undefined && headers.origin === undefined;
  return polls && headers['sec-fetch-site'] === 'same-origin' ? null : 'bad-origin';
}

/**
 * Who connects. A token given as `auth.token` stands alone: the cookie that a browser may have added does not count
 * beside it, so no page of another site gains anything by it.
 */
export async function whoConnects(
  handshake: { auth: Record<string, unknown> },
  request: IncomingMessage,
  guard: SharedGuard,
): Promise<{ principal: Principal } | { code: ErrorCode }> {
  const { token } = handshake.auth;
  if (token === undefined || token === null || token === '') {
    const principal = await guard.authenticate(request.headers);
    return principal === null ? { code: 'not-signed-in' } : { principal };
  }
  const parsed = tokenSchema.safeParse(token);
  const principal = parsed.success ? await guard.authenticate({ authorization: `Bearer ${parsed.data}` }) : null;
  return principal === null ? { code: 'bad-token' } : { principal };
}

import type { IncomingHttpHeaders } from 'node:http';
import { bearerOf } from '../../common/pure/headers/bearer.ts';

/**
 * True unless the request says that a page of another site made it. `Origin` and `Sec-Fetch-Site` are written by the
 * browser and cannot be set by script; a client that is no browser sends neither. `Origin: null` is a foreign site
 * (sandboxed frame, redirect).
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return headers.origin === undefined || originMatchesHost(headers);
}

/**
 * The stricter rule of sockets: SameSite alone does not bind them, so whoever comes with a cookie must show an Origin
 * and it must be ours. A bearer token is never sent by a browser on its own and needs no Origin.
 */
export function isSocketOriginAllowed(headers: IncomingHttpHeaders): boolean {
  if (!isSameOrigin(headers)) return false;
  return headers.origin !== undefined || bearerOf(headers.authorization) !== null || headers.cookie === undefined;
}

function originMatchesHost(headers: IncomingHttpHeaders): boolean {
  const match = /^https?:\/\/([^/?#@\\]+)$/i.exec(headers.origin ?? '');
  return match !== null && headers.host !== undefined && match[1]!.toLowerCase() === headers.host.toLowerCase();
}

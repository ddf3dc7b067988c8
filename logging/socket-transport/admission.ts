/** The parts of a handshake that admission looks at. */
export interface Handshake {
  address: string;
  headers: Record<string, string | string[] | undefined>;
  auth: Record<string, unknown>;
}

const LOOPBACK_PEER = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * Who may look where the program does not say: programs and pages of this machine. A page of another site, or one that
 * reaches this machine under a name of its own, is refused. Behind a proxy everybody seems to be here: give `authorize`.
 */
export function isFromHere({ address, headers }: Pick<Handshake, 'address' | 'headers'>): boolean {
  const { host, origin } = headers;
  if (!LOOPBACK_PEER.test(address) || typeof host !== 'string' || !LOOPBACK_HOST.test(host)) return false;
  if (headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined) return false;
  if (origin === undefined) return true;
  try {
    return typeof origin === 'string' && new URL(origin).host === host.toLowerCase();
  } catch {
    return false;
  }
}

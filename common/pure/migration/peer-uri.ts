/** Ways on which one libvirt may reach another. `tcp` has neither encryption nor sign-in: for labs and wires of one's own. */
export const PEER_TRANSPORTS = ['tls', 'tcp', 'ssh'] as const;

const URI =
  /^qemu\+(tls|tcp|ssh):\/\/(?:([a-z_][a-z0-9_-]{0,31})@)?(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::(\d{1,5}))?\/system$/;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const IPV6 = /^[0-9a-f:.]{2,45}$/;

/** The place in a template where the address of the host goes. */
export const ADDRESS = '{address}';

/**
 * The libvirt URI of a host, put together anew from its checked parts; null when it is not of the one form that is sent
 * to virsh: `qemu+tls|tcp|ssh://[user@]host[:port]/system`, without any query.
 */
export function peerUri(text: string): string | null {
  const found = URI.exec(text);
  const [, transport, user, host, port] = found ?? [];
  if (transport === undefined || host === undefined) return null;
  const bare = host.startsWith('[') ? host.slice(1, -1) : null;
  if (bare === null ? !HOST_NAME.test(host) : !bare.includes(':') || !IPV6.test(bare)) return null;
  if (user !== undefined && transport !== 'ssh') return null;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return null;
  const at = `${user === undefined ? '' : `${user}@`}${host}`;
  return `qemu+${transport}://${at}${port === undefined ? '' : `:${Number(port)}`}/system`;
}

/** Fills the address of a host into its template; null when the outcome may not be sent to virsh. */
export function fillPeerUri(template: string, address: string): string | null {
  const lower = address.toLowerCase();
  const host = lower.includes(':') ? `[${lower}]` : lower;
  if (host.includes('{') || template.split(ADDRESS).length > 2) return null;
  return peerUri(template.replace(ADDRESS, () => host));
}

/** True for a template that gives a good URI with a plain address. */
export function isPeerTemplate(template: string): boolean {
  return fillPeerUri(template, '192.0.2.1') !== null;
}

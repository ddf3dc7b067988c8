import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { cleanClaim } from './clean.ts';
import { isNamed, peerId } from './peer-id.ts';

/** What is read from one peer at most, handshake included. */
export const LIMIT_BYTES = 64 * 1_024;

export type Handshake =
  /** Nobody listens there: the host refused. */
  | { outcome: 'closed' }
  /** No answer to the connection. */
  | { outcome: 'silent' }
  /** Something listens and does not speak TLS 1.3 as an agent does. */
  | { outcome: 'foreign'; why: string }
  /** `id` is proven by the handshake; null for a key that no agent has. `socket` is the caller's to destroy. */
  | { outcome: 'tls'; id: string | null; named: boolean; socket: TLSSocket };

const SILENT = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM']);

/**
 * Opens TLS 1.3 to an address, once. No name is sent, no certificate of ours is shown, nothing of the other side's is
 * trusted; that it holds its key is what the handshake proves. Never rejects; ends when `signal` aborts.
 */
export function shakeHands(host: string, port: number, signal: AbortSignal): Promise<Handshake> {
  return new Promise((resolve) => {
    const tcp = connectTcp({ host, port });
    let connected = false;
    const settle = (handshake: Handshake) => {
      signal.removeEventListener('abort', onAbort);
      if (handshake.outcome !== 'tls') tcp.destroy();
      resolve(handshake);
    };
    const onAbort = () => settle(connected ? { outcome: 'foreign', why: 'no answer in time' } : { outcome: 'silent' });
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });

    tcp.once('connect', () => {
      connected = true;
      const tls = connectTls({ socket: tcp, minVersion: 'TLSv1.3', rejectUnauthorized: false });
      limitBytes(tcp, tls);
      tls.once('secureConnect', () => {
        const certificate = tls.getPeerX509Certificate();
        const id = peerId(certificate);
        settle({ outcome: 'tls', id, named: id !== null && isNamed(certificate, id), socket: tls });
      });
      // `on`: what comes after the first must be heard too, or it would end the process.
      tls.on('error', (error: NodeJS.ErrnoException) => settle({ outcome: 'foreign', why: tlsFault(error) }));
      tls.once('close', () => settle({ outcome: 'foreign', why: 'closed the connection' }));
    });
    tcp.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') settle({ outcome: 'closed' });
      else if (!connected || SILENT.has(error.code ?? '')) settle({ outcome: 'silent' });
      else settle({ outcome: 'foreign', why: 'closed the connection' });
    });
  });
}

function limitBytes(tcp: Socket, tls: TLSSocket): void {
  const check = () => {
    if (tcp.bytesRead > LIMIT_BYTES) tls.destroy(Object.assign(new Error('too many bytes'), { code: 'TOO_MANY' }));
  };
  // Tickets and other messages of the handshake never show as data.
  const timer = setInterval(check, 20);
  tls.on('session', check);
  tls.once('close', () => clearInterval(timer));
}

function tlsFault(error: NodeJS.ErrnoException): string {
  if (error.code === 'TOO_MANY') return 'sent more than an agent does';
  if (error.code === 'ECONNRESET') return 'closed the connection';
  return `does not speak TLS 1.3 (${cleanClaim(error.code ?? error.message, 64)})`;
}

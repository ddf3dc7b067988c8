import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorCode } from '../../common/errors.ts';
import { failed } from '../../common/wire/envelope.ts';
import { discardBody } from './body.ts';
import { isLoopback, plainAddress } from './host-names.ts';
import type { Refusals } from './refusals.ts';
import { canonicalPath } from './request-path.ts';
import { securityHeaders } from './security-headers.ts';

export interface GateRules {
  isHostAllowed(hostHeader: string | undefined, localAddress: string | undefined): boolean;
  /** False when there is no certificate to redirect to. */
  hasTls: boolean;
  refused?: Refusals;
}

type Verdict = { code: ErrorCode } | { redirect: string } | null;

/**
 * What every request passes before anything else hears of it, sockets' handshakes included: the Host header, the way from
 * plain HTTP to TLS for whoever is not on this machine, and the one spelling of the address.
 */
export function judge(request: IncomingMessage, rules: GateRules): Verdict {
  const verdict = verdictOf(request, rules);
  if (verdict !== null && 'code' in verdict) {
    const { method = '', url = '', socket } = request;
    rules.refused?.(verdict.code, { method, path: url, address: plainAddress(socket.remoteAddress) });
  }
  return verdict;
}

function verdictOf(request: IncomingMessage, rules: GateRules): Verdict {
  const socket = request.socket as IncomingMessage['socket'] & { encrypted?: boolean };
  if (!rules.isHostAllowed(request.headers.host, socket.localAddress)) return { code: 'bad-host' };
  const target = request.url ?? '';
  if (!target.startsWith('/') || target.startsWith('//')) return { code: 'not-found' };
  if (rules.hasTls && socket.encrypted !== true && !isLoopback(plainAddress(socket.remoteAddress))) {
    return { redirect: `https://${request.headers.host}${target}` };
  }
  return isEngineTarget(target) || canonicalPath(target) !== null ? null : { code: 'not-found' };
}

/** socket.io's own address ends in a slash. */
function isEngineTarget(target: string): boolean {
  return /^\/socket\.io\/(?:\?|$)/.test(target);
}

/** Answers a refused request; true when it was let through. */
export function passesGate(request: IncomingMessage, response: ServerResponse, rules: GateRules): boolean {
  const verdict = judge(request, rules);
  const known = verdict === null || !('code' in verdict) || verdict.code !== 'bad-host';
  for (const [name, value] of Object.entries(securityHeaders(known ? request.headers.host : undefined))) {
    response.setHeader(name, value);
  }
  if (verdict === null) return true;
  discardBody(request);
  response.setHeader('Cache-Control', 'no-store');
  if ('redirect' in verdict) {
    response.writeHead(308, { Location: verdict.redirect }).end();
  } else {
    response.writeHead(ERRORS[verdict.code].status, { 'Content-Type': 'application/json; charset=utf-8' });
    response.end(request.method === 'HEAD' ? undefined : refusalText(verdict.code));
  }
  return false;
}

/** Answers a refused upgrade; true when it was let through. */
export function upgradePassesGate(request: IncomingMessage, socket: Duplex, rules: GateRules): boolean {
  const verdict = judge(request, rules);
  if (verdict === null) return true;
  if ('redirect' in verdict) refuseSocket(socket, 308, `Location: ${verdict.redirect}\r\n`, '');
  else refuseSocket(socket, ERRORS[verdict.code].status, '', refusalText(verdict.code));
  return false;
}

/** Writes a whole refusal on a socket that has no response object, and closes it. */
export function refuseSocket(socket: Duplex, status: number, headers: string, body: string): void {
  if (!socket.writable) return void socket.destroy();
  socket.end(
    `HTTP/1.1 ${status} Refused\r\n${headers}Content-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

export function refusalText(code: ErrorCode): string {
  return JSON.stringify(failed(code, ERRORS[code].text));
}

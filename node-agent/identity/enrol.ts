import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';
import { z } from 'zod';
import { isErrorCode, WebvirtError } from '../../common/errors.ts';
import { certificateFault, derHash, managerFault } from './certificates.ts';
import { parseToken } from './enrol-token.ts';
import type { Identity } from './identity.ts';
import { certificateRequest } from './keys.ts';

const EXPORTER = { label: 'EXPORTER-webvirt-enrol', bytes: 32 } as const;
const LIMIT_MS = 15_000;
const LIMIT_ANSWER_BYTES = 64 * 1024;

const answerSchema = z.union([
  z.object({ err: z.null(), data: z.object({ cert: z.string(), ca: z.string() }) }),
  z.object({ err: z.string(), message: z.string() }),
]);

export interface EnrolDeps {
  identity: Identity;
  /** Port of this agent and name of this host, as the manager will dial and show them. */
  port(): number;
  name: string;
  now(): number;
}

/**
 * Enrols this agent: connects to the manager, checks that it has the CA of the token before a byte of the request is sent,
 * proves on this very connection that it knows the secret, checks the certificate it gets, keeps it. Throws
 * `already-enrolled`, `bad-token` (also: the manager refused, or is not the one of the token), `host-unreachable`.
 */
export async function enrol(url: string, tokenText: string, deps: EnrolDeps): Promise<void> {
  const { identity } = deps;
  if (identity.enrolment() !== null)
    throw new WebvirtError('already-enrolled', `This agent is enrolled with ${identity.enrolment()?.url} already.`);
  const token = parseToken(tokenText);
  const address = mustAddress(url);
  const { pem, der } = await certificateRequest(identity.keyPem);
  const socket = await connectTo(address);
  try {
    const fault = managerFault(socket.getPeerCertificate(true), token.caHash, deps.now());
    if (fault !== null)
      throw new WebvirtError(
        'bad-token',
        `The manager at ${url} is not the one of this token: ${fault}. Nothing was sent.`,
      );
    const exporter = socket.exportKeyingMaterial(EXPORTER.bytes, EXPORTER.label, Buffer.alloc(0));
    const mac = createHmac('sha256', token.secret).update(exporter).update(der).digest('hex');
    const body = { tokenId: token.id, csr: pem, mac, port: deps.port(), name: deps.name };
    const { cert, ca } = await post(socket, address, JSON.stringify(body));
    mustBeOurs(cert, ca, token.caHash, identity);
    // Two calls at the same time: the first one made the identity.
    if (identity.enrolment() !== null) throw new WebvirtError('already-enrolled');
    identity.enrolled(url, cert, ca);
  } finally {
    socket.destroy();
  }
}

function mustBeOurs(cert: string, ca: string, caHash: string, identity: Identity): void {
  let fault: string | null;
  try {
    fault = derHash(ca) === caHash ? certificateFault({ cert, ca, ...identity }) : 'its CA is another one';
  } catch {
    fault = 'it cannot be read';
  }
  if (fault !== null) throw new WebvirtError('bad-token', `The manager sent a certificate that is not good: ${fault}.`);
}

interface Address {
  host: string;
  port: number;
}

/** The manager answers TLS on the same port as plain HTTP: whatever the scheme, TLS is what is spoken. */
function mustAddress(url: string): Address {
  try {
    const { protocol, hostname, port } = new URL(url);
    if (!/^https?:$/.test(protocol) || hostname === '') throw new Error('not http');
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) };
  } catch (error) {
    throw new WebvirtError(
      'bad-request',
      `"${url}" is not the address of a manager, such as https://manager:4600.`,
      {},
      {
        cause: error,
      },
    );
  }
}

function connectTo({ host, port }: Address): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // No root store is asked: whether to trust is decided by the hash in the token, right after this.
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
    const fail = (why: string) => {
      socket.destroy();
      reject(new WebvirtError('host-unreachable', `The manager at ${host} port ${port} does not answer: ${why}.`));
    };
    socket.setTimeout(LIMIT_MS, () => fail('it takes too long'));
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once('close', () => fail('it closed the connection'));
    socket.once('secureConnect', () => {
      socket.removeAllListeners('close');
      resolve(socket);
    });
  });
}

function post(socket: TLSSocket, { host, port }: Address, body: string): Promise<{ cert: string; ca: string }> {
  return new Promise((resolve, reject) => {
    const gone = (why: string) =>
      reject(new WebvirtError('host-unreachable', `The manager broke off the enrolment: ${why}.`));
    const call = request(
      {
        createConnection: () => socket,
        host,
        port,
        method: 'POST',
        path: '/enrol',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (answer) => {
        const parts: Buffer[] = [];
        let size = 0;
        answer.on('data', (part: Buffer) => {
          size += part.length;
          if (size > LIMIT_ANSWER_BYTES) return gone('its answer is too long');
          parts.push(part);
        });
        answer.on('error', (error) => gone(error.message));
        answer.on('end', () => {
          try {
            resolve(read(Buffer.concat(parts).toString('utf8')));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    call.setTimeout(LIMIT_MS, () => call.destroy(new Error('it takes too long')));
    call.on('error', (error) => gone(error.message));
    call.on('close', () => gone('no answer'));
    call.end(body);
  });
}

function read(text: string): { cert: string; ca: string } {
  let answer: z.infer<typeof answerSchema>;
  try {
    answer = answerSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new WebvirtError('host-unreachable', 'What answers there is not a manager of WebVirt.', {}, { cause: error });
  }
  if (answer.err === null) return answer.data;
  throw new WebvirtError(isErrorCode(answer.err) ? answer.err : 'bad-token', `The manager refused: ${answer.message}`);
}

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isErrorCode, WebvirtError } from '../../common/errors.ts';
import type { Envelope } from '../../common/wire/envelope.ts';

export interface Target {
  /** `http://…`, `https://…`, or a unix socket by path. */
  url?: string;
  socketPath?: string;
  token?: string | null;
  ca?: string | null;
}

const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** One call. Resolves with `data` of the envelope; rejects with the error that the other side named, or why it was not reached. */
export function request<T>(target: Target, method: string, path: string, body?: unknown): Promise<T> {
  const url = target.socketPath === undefined ? new URL(target.url! + path) : null;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options = {
    method,
    path: url === null ? path : url.pathname + url.search,
    host: url?.hostname,
    port: url?.port || undefined,
    socketPath: target.socketPath,
    ca: target.ca ?? undefined,
    timeout: TIMEOUT_MS,
    headers: {
      accept: 'application/json',
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      ...(target.token ? { authorization: `Bearer ${target.token}` } : {}),
    },
  };
  return new Promise((resolve, reject) => {
    const where = target.socketPath ?? target.url!;
    const call = (url?.protocol === 'https:' ? httpsRequest : httpRequest)(options, (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_LIMIT_BYTES)
          call.destroy(new WebvirtError('too-large', `The answer of ${where} is too large.`));
        else chunks.push(chunk);
      });
      answer.on('error', reject);
      answer.on('end', () => {
        try {
          resolve(unwrap<T>(Buffer.concat(chunks).toString(), answer.statusCode ?? 0, where));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('timeout', () =>
      call.destroy(new WebvirtError('timeout', `${where} did not answer within ${TIMEOUT_MS / 1000} s.`)),
    );
    call.on('error', (error) => reject(error instanceof WebvirtError ? error : unreachable(where, error)));
    call.end(text);
  });
}

function unreachable(where: string, error: Error): WebvirtError {
  const code = (error as NodeJS.ErrnoException).code ?? error.message;
  const hint = where.startsWith('http')
    ? 'Is WebVirt running (npm start), and is --url right?'
    : 'Is the agent running on this host, and may you read its socket?';
  return new WebvirtError('host-unreachable', `${where} is not reached (${code}). ${hint}`, {}, { cause: error });
}

/** The manager sends whoever comes from elsewhere by plain HTTP to TLS; going there unasked would hide that the token was readable. */
function redirected(where: string): WebvirtError {
  const text = `${where} answers by TLS only: use --url ${where.replace(/^http:/, 'https:')} (and --ca or WEBVIRT_CA).`;
  return new WebvirtError('bad-config', text);
}

function unwrap<T>(text: string, status: number, where: string): T {
  if (status === 308 && where.startsWith('http:')) throw redirected(where);
  let envelope: Envelope<T>;
  try {
    envelope = JSON.parse(text) as Envelope<T>;
  } catch {
    throw new WebvirtError('internal', `${where} answered ${status} with something that is not JSON. Is it WebVirt?`);
  }
  if (envelope.err === null) return envelope.data;
  throw new WebvirtError(isErrorCode(envelope.err) ? envelope.err : 'internal', envelope.message);
}

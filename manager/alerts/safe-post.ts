import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { DeliveryError } from './delivery-error.ts';
import { whyClosed } from './net-blocks.ts';

export interface PostConfig {
  /** Networks that hooks may reach though they are not open: what the admin has named. */
  allowed: BlockList;
  limitMs: number;
  limitAnswerBytes: number;
}

export interface PostDeps {
  /** All addresses of a name. */
  resolve?: (host: string) => Promise<LookupAddress[]>;
  ownAddresses?: () => ReadonlySet<string>;
}

export type Post = (url: string, body: string, headers: Record<string, string>) => Promise<{ status: number }>;

/**
 * Posts to an address that a person wrote down. The name is resolved once, every address that it has is judged, and the
 * connection goes to the one that was judged; redirects are not followed, nothing is read beyond a limit, and no time is
 * spent beyond one. Rejects with a DeliveryError.
 */
export function createPost({ allowed, limitMs, limitAnswerBytes }: PostConfig, deps: PostDeps = {}): Post {
  const resolve = deps.resolve ?? ((host: string) => lookup(host, { all: true, verbatim: true }));
  const own = deps.ownAddresses ?? ownAddresses;

  async function addressOf(host: string): Promise<LookupAddress> {
    const family = isIP(host);
    const found =
      family === 0
        ? await withLimit(resolve(host), limitMs).catch((error: unknown) => {
            throw new DeliveryError(`The name cannot be resolved: ${codeOf(error)}.`, { cause: error });
          })
        : [{ address: host, family }];
    const [first] = found;
    if (first === undefined) throw new DeliveryError('The name has no address.');
    for (const { address } of found) {
      const why = whyClosed(address, allowed, own());
      if (why !== null)
        throw new DeliveryError(
          `Nothing is sent to ${address}: ${why}. An admin may open its network with alerts.allow in the configuration.`,
          { isFinal: true },
        );
    }
    return first;
  }

  return async (text, body, headers) => {
    const url = mustBeHook(text);
    const target = await addressOf(url.hostname.replace(/^\[|\]$/g, ''));
    const fixed: LookupFunction = (_host, options, done) =>
      options.all === true ? done(null, [target]) : done(null, target.address, target.family);
    const options: RequestOptions = {
      ...{ method: 'POST', agent: false, lookup: fixed, signal: AbortSignal.timeout(limitMs) },
      headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
    };
    return new Promise((done, fail) => {
      const request: ClientRequest = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
      request.once('error', (error) =>
        fail(new DeliveryError(`It could not be sent: ${codeOf(error)}.`, { cause: error })),
      );
      request.once('response', (answer) => {
        const status = answer.statusCode ?? 0;
        let bytes = 0;
        let start = '';
        const settle = () => {
          request.destroy();
          if (status >= 200 && status < 300) done({ status });
          else fail(new DeliveryError(saidOf(status, start), { isFinal: status === 410 }));
        };
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (start.length < 200) start += chunk.toString('latin1').slice(0, 200);
          if (bytes > limitAnswerBytes) settle();
        });
        answer.once('end', settle);
        answer.once('error', settle);
      });
      request.end(body);
    });
  };
}

/** An address that may be a hook's. Throws a DeliveryError that says why not. */
export function mustBeHook(text: string): URL {
  if (!URL.canParse(text)) throw new DeliveryError('This is not an address.', { isFinal: true });
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new DeliveryError('Only http and https are spoken.', { isFinal: true });
  if (url.username !== '' || url.password !== '')
    throw new DeliveryError('An address with a name or a password in it is not taken.', { isFinal: true });
  return url;
}

function saidOf(status: number, start: string): string {
  if (status >= 300 && status < 400) return `It answered ${status}: redirects are not followed.`;
  const words = start
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 120);
  return words === '' ? `It answered ${status}.` : `It answered ${status}: ${words}`;
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
}

function withLimit<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('ETIMEOUT')), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function codeOf(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time';
  return code ?? message;
}

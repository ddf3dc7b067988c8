import { WebvirtError } from '../../common/errors.ts';

export interface EnrolToken {
  /** SHA-256 of the CA's certificate (DER), hex: whom to trust. */
  caHash: string;
  id: string;
  /** Never travels; it is the key of the proof. */
  secret: string;
}

/** Reads `wv1.<CA hash>.<token id>.<secret>`. Throws `bad-token`, without the token in its words. */
export function parseToken(text: string): EnrolToken {
  const [version, caHash = '', id = '', secret = '', ...rest] = text.trim().split('.');
  const isWhole =
    version === 'wv1' &&
    rest.length === 0 &&
    /^[0-9a-f]{64}$/.test(caHash) &&
    /^[0-9a-f]{16}$/.test(id) &&
    /^[A-Za-z0-9_-]{27}$/.test(secret);
  if (!isWhole)
    throw new WebvirtError('bad-token', 'This is not an enrolment token; copy the whole line, wv1.… to its end.');
  return { caHash, id, secret };
}

import { randomBytes } from 'node:crypto';
import type { Role, Token } from '../../common/model/access.ts';
import type { Bus } from '../bus/bus.ts';
import type { AccountStore, StoredToken } from '../store/ports.ts';
import { hashSecret, isSecret, newSecret } from './secrets.ts';

export interface TokensDeps {
  store: Pick<AccountStore, 'putToken' | 'tokenByHash' | 'tokens' | 'removeToken' | 'touchToken'>;
  bus: Pick<Bus, 'emit'>;
  now: () => number;
}

const PREFIX = 'wv_';
const TOUCH_EVERY_MS = 60_000;

/** Bearer tokens `wv_…` of programs. The text is shown once; only its hash is kept. */
export function createTokens({ store, bus, now }: TokensDeps) {
  return {
    create(wish: { owner: string; role: Role; name: string; expiresMs: number | null }): {
      text: string;
      token: Token;
    } {
      const secret = newSecret();
      const token: StoredToken = {
        id: randomBytes(8).toString('hex'),
        tokenHash: hashSecret(secret),
        createdMs: now(),
        lastUsedMs: null,
        ...wish,
      };
      store.putToken(token);
      bus.emit('token', { owner: wish.owner });
      return { text: PREFIX + secret, token };
    },
    /** The live token of this text, marked as used; null when it is unknown, removed or expired. */
    verify(text: string): StoredToken | null {
      const secret = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
      const token = isSecret(secret) ? store.tokenByHash(hashSecret(secret)) : null;
      if (token === null || (token.expiresMs !== null && token.expiresMs <= now())) return null;
      if (token.lastUsedMs === null || now() - token.lastUsedMs >= TOUCH_EVERY_MS) store.touchToken(token.id, now());
      return token;
    },
    /** True while a token of this owner is there and has not run out. */
    isLive: (id: string, owner: string): boolean =>
      store.tokens(owner).some((token) => token.id === id && (token.expiresMs === null || token.expiresMs > now())),
    list: (owner: string): Token[] => store.tokens(owner),
    /** True when the owner had such a token; its sockets are cut. */
    remove(id: string, owner: string): boolean {
      if (!store.removeToken(id, owner)) return false;
      bus.emit('token', { owner });
      bus.emit('credential-ended', { credentialId: id });
      return true;
    },
  };
}

export type Tokens = ReturnType<typeof createTokens>;

import type { Bus } from '../bus/bus.ts';
import type { AccountStore, SettingStore, StoredSession } from '../store/ports.ts';
import { hashSecret, isSecret, newSecret } from './secrets.ts';

export interface SessionsConfig {
  /** A session that made no call for so long ends. */
  idleMs: number;
  /** A session ends after so long whatever happens. */
  absoluteMs: number;
  /** The same two for a sign-in with `remember`. */
  rememberMs: number;
}

export interface SessionsDeps {
  store: Pick<AccountStore, 'putSession' | 'session' | 'removeSession' | 'removeExpired'>;
  settings: SettingStore;
  bus: Pick<Bus, 'emit'>;
  now: () => number;
}

const VALID_FROM = 'sessions-valid-from-ms';
const TOUCH_EVERY_MS = 60_000;

/** Sessions of people in a browser. The cookie's value is known to the browser alone; its hash is the session's id. */
export function createSessions(config: SessionsConfig, { store, settings, bus, now }: SessionsDeps) {
  let validFromMs = Number(settings.get(VALID_FROM) ?? 0);
  /** Sessions seen by this process: sockets may hang on them, so their end by time must be told as well. */
  const seen = new Set<string>();
  const isOver = (session: StoredSession) => {
    const remembered = session.expiresMs - session.createdMs > config.absoluteMs;
    const idleMs = remembered ? config.rememberMs : config.idleMs;
    if (session.createdMs < validFromMs) return true;
    return now() >= session.expiresMs || now() - session.seenMs >= idleMs;
  };
  const end = (idHash: string) => {
    store.removeSession(idHash);
    seen.delete(idHash);
    bus.emit('credential-ended', { credentialId: idHash });
  };
  const find = (idHash: string): StoredSession | null => {
    const session = store.session(idHash);
    if (session === null) return null;
    if (isOver(session)) {
      end(idHash);
      return null;
    }
    seen.add(idHash);
    return session;
  };
  return {
    /** Opens a session with a fresh id. `maxAgeMs` is null for a cookie that ends with the browser. */
    open(email: string, remember: boolean): { cookie: string; maxAgeMs: number | null; session: StoredSession } {
      const cookie = newSecret();
      const lifeMs = remember ? Math.max(config.rememberMs, config.absoluteMs + 1) : config.absoluteMs;
      const session: StoredSession = {
        idHash: hashSecret(cookie),
        email,
        csrfToken: newSecret(),
        createdMs: now(),
        seenMs: now(),
        expiresMs: now() + lifeMs,
      };
      store.putSession(session);
      seen.add(session.idHash);
      return { cookie, maxAgeMs: remember ? lifeMs : null, session };
    },
    /** The live session of a cookie's value, marked as seen. */
    byCookie(cookie: string | undefined): StoredSession | null {
      const session = cookie !== undefined && isSecret(cookie) ? find(hashSecret(cookie)) : null;
      if (session !== null && now() - session.seenMs >= TOUCH_EVERY_MS) {
        store.putSession({ ...session, seenMs: now() });
      }
      return session;
    },
    /** The live session of this id, not marked as seen. */
    byId: find,
    /** Ends a session; whoever hangs on it hears `credential-ended`. */
    end,
    /** Ends every session there is, of earlier runs too: a password was changed. */
    endAll(): void {
      validFromMs = now();
      settings.put(VALID_FROM, String(validFromMs));
      for (const idHash of [...seen]) end(idHash);
    },
    /** Ends what ran out of time. */
    sweep(): void {
      for (const idHash of [...seen]) if (store.session(idHash) === null || find(idHash) === null) seen.delete(idHash);
      store.removeExpired(now());
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;

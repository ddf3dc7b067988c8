import type { IncomingHttpHeaders } from 'node:http';
import { WebvirtError } from '../../common/errors.ts';
import type { Principal, Role } from '../../common/model/access.ts';
import { bearerOf } from '../../common/pure/headers/bearer.ts';
import { readCookie } from '../../common/pure/headers/cookies.ts';
import type { Bus } from '../bus/bus.ts';
import type { AccountStore, SettingStore, StoredMember } from '../store/ports.ts';
import type { Audit } from './audit.ts';
import { ensureLocalTokens } from './local-tokens.ts';
import { ensureAdmin, FIRST_ADMIN, plainEmail } from './members.ts';
import { createPasswords, type PasswordsConfig } from './passwords.ts';
import { createSessions, type SessionsConfig } from './sessions.ts';
import { createTokens, type Tokens } from './tokens.ts';
import { createTryLimit, type TryLimitConfig } from './try-limit.ts';

export const SESSION_COOKIE = 'webvirt_session';
const SWEEP_EVERY_MS = 30_000;
/** `1` from before the first password is kept until it was shown. */
const UNSEEN = 'first-password-unseen';

export interface AuthConfig {
  dataDir: string;
  adminPassword: string | null;
  sessions: SessionsConfig;
  tries: TryLimitConfig;
  passwords: PasswordsConfig;
}

export interface AuthDeps {
  store: AccountStore;
  settings: SettingStore;
  bus: Bus;
  audit: Audit;
  now: () => number;
}

export interface SignIn {
  email: string;
  password: string;
  remember: boolean;
  address: string;
  /** Cookie the browser had before: its session ends, so a planted id is worth nothing. */
  oldCookie: string | undefined;
}

export interface SignedIn {
  cookie: string;
  maxAgeMs: number | null;
  email: string;
  role: Role;
  csrfToken: string;
}

export interface Auth {
  /** Makes the first admin and the tokens of our own parts. */
  start(): Promise<{ firstPassword: string | null }>;
  /** The first password can be read now. Until this is called, each start makes and tells a new one. */
  firstPasswordShown(): void;
  stop(): Promise<void>;
  /** Who makes a call, for HTTP and sockets alike: a bearer token wins, else the session cookie. Null: nobody. */
  authenticate(headers: IncomingHttpHeaders): Principal | null;
  csrfToken(principal: Principal): string | null;
  /** False once the session or token behind a principal has ended: sockets ask it again and again. */
  isStillValid(principal: Principal): boolean;
  /** Throws `bad-credentials` (the same for an unknown member) or `too-many-requests`. */
  signIn(wish: SignIn): Promise<SignedIn>;
  signOut(principal: Principal, address: string): void;
  tokens: Tokens;
}

/** Accounts, sessions and tokens. */
export function createAuth(config: AuthConfig, { store, settings, bus, audit, now }: AuthDeps): Auth {
  const passwords = createPasswords(config.passwords);
  const sessions = createSessions(config.sessions, { store, settings, bus, now });
  const tokens = createTokens({ store, bus, now });
  const tries = createTryLimit(config.tries, now);
  let sweep: NodeJS.Timeout | undefined;

  const bySession = (cookie: string | undefined): Principal | null => {
    const session = sessions.byCookie(cookie);
    const member = session === null ? null : store.member(session.email);
    if (session === null || member === null) return null;
    return { name: member.email, role: member.role, via: 'session', credentialId: session.idHash };
  };
  const byToken = (text: string): Principal | null => {
    const token = tokens.verify(text);
    return token === null ? null : { name: token.owner, role: token.role, via: 'token', credentialId: token.id };
  };

  return {
    async start() {
      const unseen = settings.get(UNSEEN) === '1';
      if (config.adminPassword === null && store.member(FIRST_ADMIN) === null) settings.put(UNSEEN, '1');
      const { firstPassword, changed } = await ensureAdmin(store, passwords, config.adminPassword, unseen);
      if (changed) {
        sessions.endAll();
        audit('warn', 'password set by the configuration, all sessions ended', { email: FIRST_ADMIN });
      }
      await ensureLocalTokens(config.dataDir, tokens);
      sweep = setInterval(() => {
        try {
          sessions.sweep();
        } catch (error) {
          audit('warn', 'expired sessions could not be removed; it is tried again', { error: String(error) });
        }
      }, SWEEP_EVERY_MS);
      sweep.unref();
      return { firstPassword };
    },
    firstPasswordShown() {
      if (settings.get(UNSEEN) === '1') settings.put(UNSEEN, '0');
    },
    async stop() {
      clearInterval(sweep);
    },
    authenticate(headers) {
      const bearer = bearerOf(headers.authorization);
      return bearer !== null ? byToken(bearer) : bySession(readCookie(headers.cookie, SESSION_COOKIE));
    },
    csrfToken: (principal) =>
      principal.via === 'session' ? (sessions.byId(principal.credentialId)?.csrfToken ?? null) : null,
    isStillValid: ({ via, credentialId, name }) =>
      via === 'session' ? sessions.byId(credentialId) !== null : tokens.isLive(credentialId, name),
    async signIn({ email: typed, password, remember, address, oldCookie }) {
      const email = plainEmail(typed);
      const waitMs = tries.take(email, address);
      if (waitMs > 0) {
        if (tries.isNews(address)) audit('warn', 'sign-in refused: too many tries', { email, address, waitMs });
        throw new WebvirtError('too-many-requests', undefined, { retryAfterMs: waitMs });
      }
      // All are read and compared, so that finding one costs what finding none does (a microsecond, but it can be measured).
      const member = store
        .members()
        .reduce<StoredMember | null>((found, one) => (one.email === email ? one : found), null);
      const isKnown = tries.isKnown(email, address);
      const fits = await passwords.verify(password, member?.passwordHash ?? null, isKnown).catch((error: unknown) => {
        // Refused for the tries of others: who meets that again and again must not be made to wait for it as well.
        tries.notMade(email, address);
        throw error;
      });
      if (!fits || member === null) {
        audit('warn', 'sign-in failed', { email, address });
        throw new WebvirtError('bad-credentials');
      }
      tries.succeeded(email, address);
      const old = sessions.byCookie(oldCookie);
      if (old !== null) sessions.end(old.idHash);
      const { cookie, maxAgeMs, session } = sessions.open(member.email, remember);
      audit('info', 'signed in', { email, address, remember });
      return { cookie, maxAgeMs, email: member.email, role: member.role, csrfToken: session.csrfToken };
    },
    signOut(principal, address) {
      if (principal.via !== 'session') return;
      sessions.end(principal.credentialId);
      audit('info', 'signed out', { email: principal.name, address });
    },
    tokens,
  };
}

import { z } from 'zod';
import type { Principal, Role } from '../../../common/model/access.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { meAnswer, signInBody } from './schema.ts';

/** What signing in needs of the accounts. */
export interface SignInService {
  signIn(wish: {
    email: string;
    password: string;
    remember: boolean;
    address: string;
    oldCookie: string | undefined;
  }): Promise<{ cookie: string; maxAgeMs: number | null; email: string; role: Role; csrfToken: string }>;
  signOut(principal: Principal, address: string): void;
  csrfToken(principal: Principal): string | null;
}

export interface SignInDeps {
  auth: SignInService;
  /** Name of the session's cookie. */
  cookieName: string;
  version: string;
}

/** Signing in and out, and who one is. */
export function signInRoutes({ auth, cookieName, version }: SignInDeps): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/sign-in',
      summary: 'Sign in',
      purpose:
        'Opens a session for a person. The answer sets the session cookie, which script cannot read, and names the CSRF ' +
        'token that every later call that changes something must send as X-CSRF-Token. Programs use a token instead.',
      access: 'open',
      body: signInBody,
      answer: meAnswer,
      example: { email: 'admin@localhost', password: 'correct horse battery staple', remember: false },
      errors: ['bad-credentials', 'bad-origin', 'too-many-requests'],
      async handle({ body, peer, cookie, setCookie }) {
        const signedIn = await auth.signIn({ ...body, address: peer.address, oldCookie: cookie(cookieName) });
        setCookie(cookieName, signedIn.cookie, { maxAgeMs: signedIn.maxAgeMs });
        return { email: signedIn.email, role: signedIn.role, csrfToken: signedIn.csrfToken, version };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sign-out',
      summary: 'Sign out',
      purpose:
        'Ends the session of the cookie. Its sockets are closed. A token is not ended by this: remove it instead.',
      access: 'member',
      answer: z.null(),
      handle({ principal, peer, setCookie }) {
        auth.signOut(principal!, peer.address);
        setCookie(cookieName, '', { maxAgeMs: 0 });
        return null;
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/me',
      summary: 'Who am I',
      purpose: 'Names the member behind the session or token, and the CSRF token of a session.',
      access: 'member',
      answer: meAnswer,
      handle: ({ principal }) => ({
        email: principal!.name,
        role: principal!.role,
        csrfToken: auth.csrfToken(principal!),
        version,
      }),
    }),
  ];
}

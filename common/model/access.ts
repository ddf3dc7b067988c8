import { z } from 'zod';

/** `admin` is the person; `service` is the crawler and other parts of ours. Finer roles come later. */
export const ROLES = ['admin', 'service'] as const;
export type Role = (typeof ROLES)[number];

/** Who makes a call, however it came in. */
export interface Principal {
  /** E-mail address of the member, or `local` / `crawler` for our own parts. */
  name: string;
  role: Role;
  via: 'session' | 'token';
  /** Id of the session or token: what a sign-out or revocation ends. */
  credentialId: string;
}

export const meSchema = z.object({
  email: z.string(),
  role: z.enum(ROLES),
  csrfToken: z.string().nullable(),
  version: z.string(),
});
export type Me = z.infer<typeof meSchema>;

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  createdMs: z.number(),
  expiresMs: z.number().nullable(),
  lastUsedMs: z.number().nullable(),
});
export type Token = z.infer<typeof tokenSchema>;

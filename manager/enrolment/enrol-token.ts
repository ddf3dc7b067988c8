import { randomBytes } from 'node:crypto';
import type { EnrolTokenStore } from '../store/ports.ts';

/** How long a token is good: time to walk to the host and paste a line. */
export const TOKEN_LIFE_MS = 15 * 60_000;
const SECRET_BYTES = 20;

export interface EnrolTokenOrder {
  /** Agent id that alone may use it; null: any agent. */
  agent: string | null;
  /** Who made it: an e-mail address, or `local`. */
  actor: string;
  nowMs: number;
}

export interface NewEnrolToken {
  id: string;
  /** `wv1.<SHA-256 of the CA>.<token id>.<secret>`: what the admin pastes on the host. Shown once. */
  text: string;
  expiresMs: number;
}

/** Makes a token that enrols one agent once. */
export function makeEnrolToken(store: EnrolTokenStore, caHash: string, order: EnrolTokenOrder): NewEnrolToken {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const expiresMs = order.nowMs + TOKEN_LIFE_MS;
  store.put({
    id,
    secret,
    agent: order.agent,
    createdBy: order.actor,
    createdMs: order.nowMs,
    expiresMs,
    usedMs: null,
    usedBy: null,
  });
  return { id, text: `wv1.${caHash}.${id}.${secret}`, expiresMs };
}

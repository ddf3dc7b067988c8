import { createHash, randomBytes, randomInt } from 'node:crypto';

/** Letters and digits that are not mistaken for one another when read aloud or typed from a screen. */
const READABLE = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** 256 random bits as 43 characters that fit a cookie and a header. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** True for the form `newSecret` gives: anything else is not worth a look into the store. */
export function isSecret(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** What is kept of a secret. It has 256 random bits, so a plain hash cannot be guessed back. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** A password of 20 readable characters (about 115 bits). */
export function readablePassword(): string {
  return Array.from({ length: 20 }, () => READABLE[randomInt(READABLE.length)]).join('');
}

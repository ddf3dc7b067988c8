import { WebvirtError } from '../../common/errors.ts';
import type { AccountStore } from '../store/ports.ts';
import type { Passwords } from './passwords.ts';
import { readablePassword } from './secrets.ts';

export const FIRST_ADMIN = 'admin@localhost';
export const MIN_PASSWORD_LENGTH = 8;

/** An e-mail address as it is kept and compared. */
export function plainEmail(email: string): string {
  return email.trim().toLowerCase();
}

/**
 * Sees to it that there is an admin. Without one it is made: with the password given, or one of our own that is returned
 * to be shown once. A password given later is set anew, so that whoever starts the program can always sign in. One that
 * nobody was shown (`unseen`: an earlier start failed behind this) is made again. The second answer is true when a
 * password that was in use before was changed.
 */
export async function ensureAdmin(
  store: Pick<AccountStore, 'member' | 'putMember'>,
  passwords: Passwords,
  given: string | null,
  unseen = false,
): Promise<{ firstPassword: string | null; changed: boolean }> {
  if (given !== null && given.length < MIN_PASSWORD_LENGTH) {
    const text = `adminPassword: must have at least ${MIN_PASSWORD_LENGTH} characters (WEBVIRT_ADMIN_PASSWORD)`;
    throw new WebvirtError('bad-config', text);
  }
  const known = store.member(FIRST_ADMIN);
  if (known !== null && (given === null ? !unseen : await passwords.verify(given, known.passwordHash))) {
    return { firstPassword: null, changed: false };
  }
  const password = given ?? readablePassword();
  store.putMember({ email: FIRST_ADMIN, role: 'admin', passwordHash: await passwords.hash(password) });
  return { firstPassword: given === null ? password : null, changed: known !== null && !unseen };
}

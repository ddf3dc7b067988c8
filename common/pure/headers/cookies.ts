/** Value of one cookie of a Cookie header; the first wins, as browsers send the most specific one first. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const cut = part.indexOf('=');
    if (cut !== -1 && part.slice(0, cut).trim() === name) {
      const value = part.slice(cut + 1).trim();
      return value === '' ? undefined : value;
    }
  }
  return undefined;
}

export interface CookieOptions {
  /** Null: until the browser closes. 0: delete it now. */
  maxAgeMs: number | null;
  secure: boolean;
}

/** A Set-Cookie header that script cannot read and other sites cannot make the browser send. */
export function writeCookie(name: string, value: string, { maxAgeMs, secure }: CookieOptions): string {
  if (!/^[\w-]+$/.test(name) || !/^[\w.~-]*$/.test(value)) throw new RangeError('cookie with characters of a header');
  const age = maxAgeMs === null ? '' : `; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${age}${secure ? '; Secure' : ''}`;
}

/**
 * The path of a request target when it is written in the one canonical way, else null. Two spellings of one address are
 * how guards are walked around, so `//`, dot segments, trailing dots, backslashes, encoded plain characters, encoded
 * separators and control characters are no path of ours at all: the caller answers 404.
 */
export function canonicalPath(target: string): string | null {
  if (target.length > 8192 || !target.startsWith('/')) return null;
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  if (path === '/') return path;
  const segments = path.slice(1).split('/');
  return segments.every(isPlainSegment) ? path : null;
}

function isPlainSegment(segment: string): boolean {
  if (segment === '' || segment.endsWith('.') || !/^(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+$/.test(segment))
    return false;
  if (!segment.includes('%')) return true;
  // `%61` is another spelling of `a`; only what may not stand plainly may be encoded.
  if (/%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|2[DdEeFf]|5[CcFf]|7[EeFf]|[01][0-9A-Fa-f])/.test(segment)) return false;
  try {
    // C1 controls and everything that would be shown as nothing, once decoded.
    return !/[\u0000-\u001f\u007f-\u009f/\\\ufeff]/.test(decodeURIComponent(segment));
  } catch {
    return false;
  }
}

/** First segment of a path in lower case, such as `api` of `/api/v1/hosts`. */
export function firstSegment(path: string): string {
  return (path.split('/', 2)[1] ?? '').toLowerCase();
}

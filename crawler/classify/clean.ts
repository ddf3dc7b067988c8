// Everything that could move a cursor, hide or reorder text: C0, DEL, C1, zero-width, line and bidi controls, tags.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
const LONE_HALF = /\p{Surrogate}/gu;

/**
 * Words of the other side as text that is safe to show and short: what cannot be seen becomes `\u{…}`, lone halves of
 * characters are replaced. At most `limit` characters.
 */
export function cleanClaim(text: string, limit: number): string {
  const visible = text
    .slice(0, limit)
    .replace(UNSEEN, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`)
    .replace(LONE_HALF, '\ufffd');
  return visible.length <= limit ? visible : `${visible.slice(0, limit - 1).replace(LONE_HALF, '')}…`;
}

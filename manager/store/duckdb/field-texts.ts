import { numberOf } from '../../../common/pure/query/query.ts';

/**
 * What is not written as JSON.stringify does it, and numbers that have another form too (200.0, 2e2, 007, more digits than a
 * number keeps), as an RE2 pattern. A value is not looked for by its text among such fields. It may also fit what is usual.
 */
export const ODD_FIELDS = [
  String.raw`"[ \t\r\n]+:|"[ \t\r\n]*:[ \t\r\n]`,
  // JSON.stringify escapes only what is hidden, and halves of pairs; the others may stand for letters.
  String.raw`\\(u(00[2-9a-fA-F]|0[1-9a-fA-F]|[1-9a-cA-CeE])|/)`,
  '[":]-?(0[0-9]+([.][0-9]+)?|[0-9]+[.][0-9]*0|[0-9]+([.][0-9]+)?[eE][+-]?[0-9]+)["},]',
  '[":]-0["},]',
  '[0-9.]{17}|9[0-9]{15}',
].join('|');

const KEY = /^[A-Za-z0-9_@.-]+$/;

/**
 * Texts of which the JSON of a line's fields contains one, in lower case, when the field of this name has a value of these
 * pieces (see `Term`); null: nothing is known. `pieces` null: it has any value.
 */
export function fieldTexts(name: string, pieces: readonly string[] | null): string[] | null {
  if (!KEY.test(name)) return null;
  // A dotted name is that of one member, or of one inside of others.
  const names = name.includes('.') ? [name, name.slice(name.lastIndexOf('.') + 1)] : [name];
  return names.flatMap((one) => valueTexts(pieces).map((text) => `${JSON.stringify(one).toLowerCase()}:${text}`));
}

function valueTexts(pieces: readonly string[] | null): string[] {
  if (pieces === null) return [''];
  const first = pieces[0]!;
  const number = pieces.length === 1 ? numberOf(first) : null;
  const forms = new Set([plainStart(first), ...(number === null ? [] : [plainStart(String(number))])]);
  // A number and true stand without quotes, a text that reads the same with them.
  return [...forms].flatMap((form) => (first.length > 0 ? [`"${form}`, form] : ['']));
}

/** How a text begins in JSON, up to the first character that may be written in several ways. */
function plainStart(text: string): string {
  const end = text.search(/[^ -~]|["\\]/);
  return end < 0 ? text : text.slice(0, end);
}

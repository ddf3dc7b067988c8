const LONGEST_SOURCE = 4_000_000;
/** A drawing of this many shapes takes a second; a few lines can ask for billions. */
const MOST_SHAPES = 200_000;

/**
 * A drawing (SVG) as a file for an `<img>`, or null where it should only be shown as its source: drawing it could hold
 * up the page of whoever looks at it. Nothing is parsed into elements here, so nothing of it can act.
 */
export function readDrawing(source: string): Blob | null {
  if (source.length > LONGEST_SOURCE || shapesOf(source) > MOST_SHAPES) return null;
  return new Blob([source], { type: 'image/svg+xml' });
}

interface Part {
  inner: Part[];
  /** Ids of what is drawn here once more: by `use`, as a pattern, a mask, a marker. */
  again: string[];
}

// A name is taken whole: else a long one without an end would be tried again with each of its lengths.
const TOKEN =
  /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[([\s\S]*?)(?:\]\]>|$)|<\?[\s\S]*?(?:\?>|$)|<(\/?)([^\s<>/"'=!?]+)(?![^\s<>/"'=!?])((?:"[^"]*"|'[^']*'|[^"'<>])*)>|([^<]+)/g;
// Begins only where a name may: else a long word would be gone over from each of its letters.
const ATTRIBUTE = /(?<![^\s"'])([^\s="']+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const DEEPEST = 500;

/** How many elements are drawn when all references are followed; infinite where the text does not tell. */
export function shapesOf(source: string): number {
  const unknown = Number.POSITIVE_INFINITY;
  // Text that stands for other text could hide anything, and multiply it.
  if (/<!ENTITY/i.test(source)) return unknown;
  const byId = new Map<string, Part>();
  const whole: Part = { inner: [], again: [] };
  const open = [whole];
  for (const [, literal = '', end, name, rest = '', text = ''] of source.matchAll(TOKEN)) {
    // A rule of style could make every element draw a pattern.
    if (/url\(|\\/i.test(literal + text)) return unknown;
    if (name === undefined) continue;
    if (end === '/') {
      if (open.length > 1) open.pop();
      continue;
    }
    const part: Part = { inner: [], again: [] };
    for (const [, attribute, double, single] of rest.matchAll(ATTRIBUTE)) {
      const value = double ?? single!;
      const mayRefer = /^id$|href$/.test(attribute!) || /url|\\/i.test(value);
      if (mayRefer && (value.includes('&') || value.includes('\\'))) return unknown;
      if (attribute === 'id' && !byId.has(value)) byId.set(value, part);
      if (/href$/.test(attribute!) && value.trim().startsWith('#')) part.again.push(value.trim().slice(1));
      if (/href$/.test(attribute!) && /^\s*data:image\/svg/i.test(value)) return unknown;
      for (const [, id] of value.matchAll(/url\(\s*["']?#([^)"']*)/gi)) part.again.push(id!.trim());
    }
    open.at(-1)!.inner.push(part);
    if (!rest.endsWith('/')) open.push(part);
    if (open.length > DEEPEST) return unknown;
  }
  return total(whole, byId, new Map(), 0);
}

function total(part: Part, byId: ReadonlyMap<string, Part>, known: Map<Part, number>, depth: number): number {
  const before = known.get(part);
  if (before !== undefined) return before;
  if (depth > DEEPEST) return Number.POSITIVE_INFINITY;
  // What stands in itself is not drawn again.
  known.set(part, 0);
  let sum = 1;
  for (const inner of part.inner) sum += total(inner, byId, known, depth + 1);
  for (const id of part.again) {
    const used = byId.get(id);
    if (used !== undefined) sum += total(used, byId, known, depth + 1);
  }
  known.set(part, sum);
  return sum;
}

import { visibleText } from '../../../common/pure/visible-text.ts';

/** A piece of text with the classes of its colours; the text is made visible already. */
export interface AnsiRun {
  text: string;
  /** Class names of `ansi.css`, separated by spaces; empty for plain text. */
  classes: string;
}

/** CSI … m and nothing else: everything that moves, clears, links or answers stays a visible glyph. */
const SGR = /\u001b\[([0-9;:]{0,64})m/g;
const MOST_RUNS = 48;

interface Pen {
  fore: number | null;
  back: number | null;
  flags: Set<string>;
}

const FLAGS: Record<number, string> = { 1: 'bold', 2: 'dim', 3: 'italic', 4: 'under', 7: 'swap', 9: 'strike' };
const UNFLAGS: Record<number, string[]> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['under'],
  27: ['swap'],
  29: ['strike'],
};

/**
 * Cuts text at its colour sequences (SGR). Null when it has none. Colours become one of sixteen classes, whatever a line
 * asks for; conceal is not obeyed, because nothing in a log may hide; behind the last run the rest stays plain.
 */
export function ansiRuns(text: string, options: { keepNewlines?: boolean } = {}): AnsiRun[] | null {
  if (!text.includes('\u001b[')) return null;
  const runs: AnsiRun[] = [];
  const pen: Pen = { fore: null, back: null, flags: new Set() };
  let at = 0;
  let found = false;
  for (const match of text.matchAll(SGR)) {
    if (runs.length >= MOST_RUNS) break;
    found = true;
    if (match.index > at)
      runs.push({ text: visibleText(text.slice(at, match.index), options), classes: classesOf(pen) });
    apply(pen, match[1]!);
    at = match.index + match[0].length;
  }
  if (!found) return null;
  if (at < text.length)
    runs.push({ text: visibleText(text.slice(at), options), classes: runs.length < MOST_RUNS ? classesOf(pen) : '' });
  return runs;
}

/** The text without its colour sequences: for copies and measures. */
export function withoutAnsi(text: string): string {
  return text.includes('\u001b[') ? text.replace(SGR, '') : text;
}

function classesOf({ fore, back, flags }: Pen): string {
  const names = [...flags].map((flag) => `ansi-${flag}`);
  if (fore !== null) names.push(`ansi-f${fore}`);
  if (back !== null) names.push(`ansi-b${back}`);
  return names.join(' ');
}

function apply(pen: Pen, given: string): void {
  const codes = given.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at]!;
    if (code === 0) Object.assign(pen, { fore: null, back: null, flags: new Set<string>() });
    else if (FLAGS[code] !== undefined) pen.flags.add(FLAGS[code]);
    else if (UNFLAGS[code] !== undefined) for (const flag of UNFLAGS[code]) pen.flags.delete(flag);
    else if (code >= 30 && code <= 37) pen.fore = code - 30;
    else if (code >= 90 && code <= 97) pen.fore = code - 90 + 8;
    else if (code === 39) pen.fore = null;
    else if (code >= 40 && code <= 47) pen.back = code - 40;
    else if (code >= 100 && code <= 107) pen.back = code - 100 + 8;
    else if (code === 49) pen.back = null;
    else if (code === 38 || code === 48) {
      const [colour, used] = wide(codes, at + 1);
      if (code === 38) pen.fore = colour;
      else pen.back = colour;
      at += used;
    }
  }
}

/** `5;n` or `2;r;g;b` behind 38 and 48, as one of the sixteen, and how many numbers it took. */
function wide(codes: readonly number[], at: number): [number | null, number] {
  if (codes[at] === 5) return [ofPalette(codes[at + 1] ?? 0), 2];
  if (codes[at] === 2) return [nearest(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), 4];
  return [null, 0];
}

function ofPalette(index: number): number | null {
  if (index < 16) return index;
  if (index > 255) return null;
  if (index >= 232) {
    const grey = (index - 232) * 10 + 8;
    return nearest(grey, grey, grey);
  }
  const level = (n: number) => (n === 0 ? 0 : n * 40 + 55);
  const cube = index - 16;
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

/** The colour of sixteen that stands for a free one: a bit for each channel, bright when it is light. */
function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  if (most < 48) return 0;
  if (most - Math.min(red, green, blue) < 32) return most < 96 ? 8 : most < 192 ? 7 : 15;
  const bit = (value: number) => (value > most * 0.6 ? 1 : 0);
  const base = bit(red) + bit(green) * 2 + bit(blue) * 4;
  return most > 200 ? base + 8 : base;
}

import type { Gap, Line } from '../../../common/model/line.ts';

/** Lines that a source left out or may have missed, as it declares them itself. */
export interface LeftOut {
  /** Null: the source cannot know how many. */
  count: number | null;
  reason: string;
  /** Between which times; null when it is not told. */
  firstMs: number | null;
  lastMs: number | null;
}

/** The gap a line stands for, or null for a line of text. */
export function gapOf(line: Line): Gap | null {
  const gap = line.fields?.['gap'];
  return gap !== null && typeof gap === 'object' && 'from' in gap && 'to' in gap ? (gap as Gap) : null;
}

const READERS = new Set(['journal', 'file', 'qemu', 'console', 'libvirt']);

/** What a source says to have left out; null for every other line, and for whatever programs outside say. */
export function leftOutOf(line: Line): LeftOut | null {
  const { fields } = line;
  if (fields === undefined || line.level !== 'warn' || !READERS.has(line.source)) return null;
  const reason = fields['reason'];
  const count = numberOf(fields['dropped']);
  const lastReadMs = numberOf(fields['lastReadMs']);
  if (typeof reason !== 'string' || (count === null && lastReadMs === null)) return null;
  const [firstMs, lastMs] = [numberOf(fields['firstMs']), numberOf(fields['lastMs'])];
  return { count, reason, firstMs: firstMs ?? lastReadMs, lastMs };
}

/** A turn in the life of an instance that its console tells: `moved` with the host on which it goes on, or another. */
export function turnOf(line: Line): { kind: string; host: string | null } | null {
  const kind = line.source === 'console' ? line.fields?.['marker'] : undefined;
  if (typeof kind !== 'string') return null;
  const host = line.fields!['host'];
  return { kind, host: typeof host === 'string' ? host : null };
}

/** Lines that are drawn as what they say about the stream, and of which each counts. */
export function isSpecial(line: Line): boolean {
  return line.fields !== undefined && (gapOf(line) !== null || turnOf(line) !== null || leftOutOf(line) !== null);
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

import { dayTimeText, plural } from '../../dom/format.ts';
import type { Unreadable } from '../../models/unreadable.ts';

/** What cannot be read any more, in words; empty when all can. */
export function unreadableText(unreadable: readonly Unreadable[]): string {
  if (unreadable.length === 0) return '';
  const lines = unreadable.reduce((sum, one) => sum + one.lines, 0);
  const fromMs = unreadable.reduce((least, one) => Math.min(least, one.fromMs), Infinity);
  const toMs = unreadable.reduce((most, one) => Math.max(most, one.toMs), -Infinity);
  return `${plural(lines, 'line')} of ${dayTimeText(fromMs)} – ${dayTimeText(toMs)} cannot be read: the disk lost them`;
}

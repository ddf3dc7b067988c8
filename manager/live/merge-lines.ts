import type { Line } from '../../common/model/line.ts';

/**
 * The lines of one message, those of several agents merged by their corrected time. What one agent said stays in the order
 * in which it said it, whatever its clock did meanwhile. Nothing is held back for it: only what goes together is merged.
 */
export function mergeLines(lines: Line[]): Line[] {
  const latest = new Map<string, number>();
  const keys: number[] = [];
  let ordered = true;
  for (const { agent, sortMs, tsMs } of lines) {
    const key = Math.max(sortMs ?? tsMs, latest.get(agent) ?? Number.NEGATIVE_INFINITY);
    latest.set(agent, key);
    if (key < (keys.at(-1) ?? Number.NEGATIVE_INFINITY)) ordered = false;
    keys.push(key);
  }
  if (ordered) return lines;
  const places = lines.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]! || a - b);
  return places.map((i) => lines[i]!);
}
